"""A folder in MMRec's format as raw files: as it is, or filtered and split anew."""

from pathlib import Path

import numpy as np
import pytest

from sea_core.data.catalogue import count_rows, load_dataset
from sea_core.errors import UserError
from tests.sea_core.data.prepare.raw_files import manifest, run_prepare, write_mmrec


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return write_mmrec(tmp_path / "raw")


def test_a_folder_as_it_is_keeps_ids_split_and_features(raw: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run_prepare("mmrec", raw, out) == 0
    before = load_dataset(str(raw), modalities={name: f"{name}_feat.npy" for name in ("audio", "image", "text")})
    after = load_dataset(str(out))
    assert after.split_hash == before.split_hash
    assert after.feature_hashes == before.feature_hashes
    assert after.protocol is None
    assert count_rows(after) == count_rows(before)


def test_another_split_is_a_matter_of_request(raw: Path, tmp_path: Path) -> None:
    assert run_prepare("mmrec", raw, tmp_path / "out", "--split", "random", "--seed", 3) == 0
    before, after = load_dataset(str(raw)), load_dataset(str(tmp_path / "out"))
    assert after.split_hash != before.split_hash
    assert after.protocol == {"protocol": "random", "ratios": "8:1:1", "seed": 3}
    assert sum(count_rows(after).values()) == sum(count_rows(before).values())


def test_a_folder_without_a_split_gets_one(raw: Path, tmp_path: Path) -> None:
    path = raw / "raw.inter"
    path.write_text("\n".join(line.rpartition("\t")[0] for line in path.read_text().splitlines()) + "\n")
    with pytest.raises(UserError, match="no split to keep; choose one with --split"):
        run_prepare("mmrec", raw, tmp_path / "out")
    run_prepare("mmrec", raw, tmp_path / "out", "--split", "leave-one-out")
    assert count_rows(load_dataset(str(tmp_path / "out")))["test"] == 12


def test_placeholder_times_are_no_times(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--split user-time needs times, but the raw files have none"):
        run_prepare("mmrec", raw, tmp_path / "out", "--split", "user-time")


def test_items_that_nobody_chose_keep_their_number(raw: Path, tmp_path: Path) -> None:
    path = raw / "raw.inter"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], *(line for line in lines[1:] if line.split("\t")[1] != "4")]) + "\n")
    run_prepare("mmrec", raw, tmp_path / "out")
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "text_feat.npy"), np.load(raw / "text_feat.npy"))


def test_modalities_may_be_chosen(raw: Path, tmp_path: Path) -> None:
    run_prepare("mmrec", raw, tmp_path / "out", "--modalities", "text", "image")
    assert list(manifest(tmp_path / "out")["modalities"]) == ["text", "image"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0\tx\t5\t0\t0", r"raw\.inter, line 2: itemID must be a whole number"),
        ("0\t3\t5\t0\t7", r"raw\.inter, line 2: x_label must be 0"),
        ("0\t0\tfive\t0\t0", r"raw\.inter, line 2: expected a number in the column 'rating', found 'five'"),
        ("0\t3", r"raw\.inter, line 2: expected 5 tab-separated values as in the header, found 2"),
    ],
)
def test_a_faulty_line_is_named(raw: Path, tmp_path: Path, text: str, message: str) -> None:
    path = raw / "raw.inter"
    lines = path.read_text().splitlines()
    lines[1] = text
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(UserError, match=message):
        run_prepare("mmrec", raw, tmp_path / "out")


def test_the_real_lfm2k_splits_anew_with_three_modalities(shared_data: Path, tmp_path: Path) -> None:
    assert run_prepare("mmrec", shared_data / "lfm2k", tmp_path / "lfm2k", "--split", "random", "--k-core", 5) == 0
    dataset = load_dataset(str(tmp_path / "lfm2k"))
    assert dataset.modalities == ("image", "text", "vggish")
    assert dataset.items <= 1425

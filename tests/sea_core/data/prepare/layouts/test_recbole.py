"""RecBole's atomic files."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from sea_core.cache import cache_root
from sea_core.data.catalogue import count_rows, load_dataset
from sea_core.data.sources.ml_100k import RECBOLE
from sea_core.errors import UserError
from tests.sea_core.data.prepare.raw_files import items_of, manifest, run_prepare, shop, write_csv, write_recbole

ROWS = shop()


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return write_recbole(tmp_path / "raw", ROWS)


def prepared(raw: Path, *words: object, name: str = "out") -> Path:
    out = raw.parent / name
    assert run_prepare("recbole", raw, out, "--k-core", 2, "--dims", 4, *words) == 0
    return out


def test_atomic_files_give_the_interactions_of_the_same_rows_as_csv(raw: Path, tmp_path: Path) -> None:
    out = prepared(raw)
    write_csv(tmp_path / "csv", ROWS)
    run_prepare("csv", tmp_path / "csv", tmp_path / "other" / "out", "--k-core", 2, "--dims", 4)
    for file in ("out.inter", "users.tsv", "items.tsv"):
        assert (out / file).read_bytes() == (tmp_path / "other" / "out" / file).read_bytes()
    assert load_dataset(str(out)).modalities == ("picture", "text", "knowledge")


def test_a_path_to_the_interactions_serves_too(raw: Path) -> None:
    assert prepared(raw / "shop.inter", name="../out").is_dir()


def test_columns_of_numbers_are_taken_as_they_are(raw: Path) -> None:
    out = prepared(raw)
    numbers = np.arange(len(items_of(ROWS)))
    np.testing.assert_array_equal(np.load(out / "picture_feat.npy"), np.stack([numbers, numbers**0, numbers**2], 1))


def test_items_with_the_same_facts_are_alike_and_those_without_get_the_mean(raw: Path) -> None:
    out = prepared(raw)
    features = np.load(out / "knowledge_feat.npy")
    np.testing.assert_array_equal(features[0], features[6])  # equal genre and place
    assert not np.array_equal(features[0], features[1])
    about = manifest(out)["features"]["knowledge"]
    assert about["items_without_content"] == 1
    np.testing.assert_allclose(features[-1], features[:-1].mean(axis=0), atol=1e-5)


@pytest.mark.slow
def test_the_real_movielens_has_the_sizes_that_ml_100k_has(tmp_path: Path) -> None:
    wheel = cache_root() / "wheels" / RECBOLE.file
    if not wheel.is_file():
        pytest.skip("RecBole's wheel is not in the cache")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path, [n for n in archive.namelist() if n.startswith("recbole/dataset_example/ml-100k")])
    raw = tmp_path / "recbole" / "dataset_example" / "ml-100k"
    assert run_prepare("recbole", raw, tmp_path / "movies", "--min-rating", 4, "--dims", 8) == 0
    dataset = load_dataset(str(tmp_path / "movies"))
    assert (dataset.users, dataset.items) == (938, 1_008)
    assert count_rows(dataset) == {"training": 44_287, "validation": 5_063, "test": 5_063}


@pytest.mark.parametrize(
    ("file", "line", "text", "message"),
    [
        ("inter", 1, "user_id:token\titem_id\trating:float", r"shop\.inter, line 1: expected columns as name:type"),
        ("inter", 1, "user_id:token\tthing:token\trating:float\tt:float", r"line 1: missing column 'item_id'"),
        ("inter", 3, "U00\tB000000000\tgood\t1", r"shop\.inter, line 3: expected a number in the column 'rating'"),
        ("inter", 3, "U00\tB000000000\t1", r"shop\.inter, line 3: expected 4 values as in the header, found '3'"),
        ("item", 4, "B000000002\tx\tA\t1 2\t5", r"shop\.item, line 4: expected 3 numbers in 'picture_emb', found '2'"),
        ("item", 4, "B000000002\tx\tA\t1 2 x\t5", r"shop\.item, line 4: expected numbers in 'picture_emb'"),
        ("kg", 1, "head:token\trelation_id:token\ttail_id:token", r"shop\.kg, line 1: missing column 'head_id'"),
        ("link", 3, "\tm.1", r"shop\.link, line 3: expected an id in the column 'item_id'"),
    ],
)
def test_a_faulty_line_is_named(raw: Path, file: str, line: int, text: str, message: str) -> None:
    path = raw / f"shop.{file}"
    lines = path.read_text().splitlines()
    lines[line - 1] = text
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(UserError, match=message):
        prepared(raw)


def test_two_datasets_in_one_folder_need_a_path(raw: Path) -> None:
    (raw / "other.inter").write_text("user_id:token\titem_id:token\n")
    with pytest.raises(UserError, match=r"expected one \.inter file.* found other\.inter, shop\.inter; give its path"):
        prepared(raw)

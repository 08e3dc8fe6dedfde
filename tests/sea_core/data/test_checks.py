"""``data check`` beyond what loading refuses: numbers that training cannot use, known files, files nobody reads."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from sea_core.data import fingerprints
from sea_core.data.fingerprints import PUBLISHED, Fingerprint, recognise
from sea_core.data.mmrec_folder import PUBLISHED_SIZES
from sea_core.errors import UserError
from tests.sea_core.data.test_data_commands import _run


def test_a_modality_of_one_column_is_refused(folder: Path) -> None:
    np.save(folder / "text_feat.npy", np.ones((12, 1)))
    with pytest.raises(UserError, match="modality 'text': expected at least 2 feature columns"):
        _run("check", str(folder))


def test_values_with_which_training_diverges_are_refused(folder: Path) -> None:
    features = np.ones((12, 3))
    features[7, 1] = -1e30
    np.save(folder / "text_feat.npy", features)
    with pytest.raises(
        UserError, match=r"modality 'text', row 7, column 1: expected values up to 1e\+06, found 1e\+30"
    ):
        _run("check", str(folder))


def test_feature_files_that_nobody_reads_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(folder / "vggish_feat.npy", np.ones((12, 4)))
    np.save(folder / "words.npy", np.ones((12, 4)))
    assert _run("check", str(folder)) == 0
    shown = capsys.readouterr().out
    assert (
        "ignored       vggish_feat.npy, words.npy; to use all: --modalities image text vggish words=words.npy" in shown
    )
    assert _run("check", str(folder), "--modalities", "image", "text", "vggish", "words=words.npy") == 0
    assert "ignored" not in capsys.readouterr().out


def test_a_missing_file_gets_the_option_that_the_command_has(folder: Path) -> None:
    (folder / "text_feat.npy").unlink()
    with pytest.raises(UserError, match=r"--modalities name=file\.npy \.\.\. in data check"):
        _run("check", str(folder))


def test_an_inter_file_is_answered_with_its_folder(folder: Path) -> None:
    with pytest.raises(UserError, match=f"shop.inter is a file; expected the folder it lies in: give {folder}"):
        _run("check", str(folder / "shop.inter"))


def test_the_files_of_the_published_tables_are_recognised(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "shop.inter").rename(folder / "baby.inter")
    content = (folder / "image_feat.npy").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    shortened = Fingerprint("Baby", "image_feat.npy", len(content), f"{digest[:8]}...{digest[-4:]}")
    monkeypatch.setattr(fingerprints, "PUBLISHED", (shortened,))
    assert _run("check", str(folder)) == 0
    shown = capsys.readouterr().out
    assert "image_feat.npy: the features of the published tables, Baby" in shown
    assert "text_feat.npy: not a file of the published tables" in shown


def test_fingerprints_are_sizes_of_float_tables_with_whole_or_shortened_hashes() -> None:
    items = {name.capitalize(): sizes[1] for name, sizes in PUBLISHED_SIZES.items()}
    for known in PUBLISHED:
        columns = {"image_feat.npy": 4096, "text_feat.npy": 384}[known.file]
        assert (known.size - 128) in (items[known.dataset] * columns * 4, items[known.dataset] * columns * 8)
        assert len(known.sha256) in (64, len("36c3be59...fd70"))


@pytest.mark.parametrize("name", ["lfm2k.inter", "text_feat.npy", "image_feat.npy", "vggish_feat.npy"])
def test_the_real_lfm2k_is_recognised(shared_data: Path, name: str) -> None:
    from sea_core.data.sources.lfm2k import COLLECTION

    assert recognise(shared_data / "lfm2k" / name, (COLLECTION,)) == "the file of lfm2k that data fetch brings"
    assert recognise(shared_data / "baby-surrogate" / "text_feat.npy") == ""

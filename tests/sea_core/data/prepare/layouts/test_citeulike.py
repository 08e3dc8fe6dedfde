"""CiteULike's files: the real ones give the known counts, and a fault is named with its line."""

from pathlib import Path

import numpy as np
import pytest

from sea_core.config import Config
from sea_core.data.catalogue import load_dataset
from sea_core.errors import UserError
from sea_core.training.run import TrainingRun
from tests.sea_core.data.prepare.raw_files import manifest, run_prepare, write_citeulike

LISTS = [[(user + step) % 10 for step in range(6)] for user in range(12)]


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return write_citeulike(tmp_path / "raw", LISTS, items=12)


@pytest.mark.slow
@pytest.mark.parametrize(("k", "counts"), [(5, (3_527, 6_339, 77_546)), (3, (6_978, 13_734, 112_616))])
def test_the_real_files_give_the_known_counts(
    shared_data: Path, tmp_path: Path, k: int, counts: tuple[int, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    raw = shared_data / "raw" / "citeulike-t"
    assert run_prepare("citeulike", raw, tmp_path / "articles", "--k-core", k, "--dry-run") == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{k}-core"))
    assert tuple(int(word.replace(",", "")) for word in line.split()[1:4]) == counts


@pytest.mark.slow
def test_the_real_files_become_a_dataset_that_trains(shared_data: Path, tmp_path: Path, cache_folder: Path) -> None:
    out = tmp_path / "articles"
    assert run_prepare("citeulike", shared_data / "raw" / "citeulike-t", out, "--dims", 32) == 0
    dataset = load_dataset(str(out))
    assert (dataset.users, dataset.items, dataset.modalities) == (3_527, 6_339, ("text", "citations"))
    config = Config(epochs=2, club_steps=2, learning_rate=1e-3)
    run = TrainingRun(config, dataset, seed=1)
    while not run.finished:
        run.advance()
    assert run.best.validation.means()["recall@20"] > 0.1  # popularity reaches .03


def test_items_are_lines_and_keep_their_content(raw: Path, tmp_path: Path) -> None:
    out = tmp_path / "articles"
    assert run_prepare("citeulike", raw, out, "--dims", 4) == 0
    assert manifest(out)["modalities"] == {"text": "text_feat.npy", "citations": "citations_feat.npy"}
    ids = [line.split("\t") for line in (out / "items.tsv").read_text().splitlines()]
    assert ids == [["itemID", "original_id"], *([str(n), str(n)] for n in range(10))]
    assert np.load(out / "text_feat.npy").shape == (10, 4)


def test_items_with_equal_words_get_equal_features(raw: Path, tmp_path: Path) -> None:
    lines = (raw / "mult.dat").read_text().splitlines()
    lines[3] = lines[7]
    (raw / "mult.dat").write_text("\n".join(lines) + "\n")
    run_prepare("citeulike", raw, tmp_path / "out", "--dims", 4)
    features = np.load(tmp_path / "out" / "text_feat.npy")
    np.testing.assert_array_equal(features[3], features[7])
    assert not np.array_equal(features[3], features[4])


def test_citations_count_in_both_directions(raw: Path, tmp_path: Path) -> None:
    # Items 0 and 1 both cite 5; items 2 and 3 are both cited by 6. Nothing else is linked.
    lines = ["0"] * 12
    lines[0] = lines[1] = "1 5"
    lines[6] = "2 2 3"
    (raw / "citations.dat").write_text("\n".join(lines) + "\n")
    run_prepare("citeulike", raw, tmp_path / "out", "--dims", 4, "--modalities", "citations")
    features = np.load(tmp_path / "out" / "citations_feat.npy")
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    assert unit[0] @ unit[1] == pytest.approx(1, abs=1e-3)
    assert unit[2] @ unit[3] == pytest.approx(1, abs=1e-3)
    assert abs(unit[0] @ unit[2]) < 1e-3
    about = manifest(tmp_path / "out")["features"]["citations"]
    assert about["items_without_content"] == 10 - 6
    assert about["they_got"] == "the mean of the others"


def test_tags_are_off_by_default_and_warned_about(
    raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (raw / "tag-item.dat").write_text("3 0 1 2\n4 3 4 5 6\n2 0 6\n3 7 8 9\n2 1 9\n")
    run_prepare("citeulike", raw, tmp_path / "without", "--dims", 2)
    assert "tags" not in manifest(tmp_path / "without")["modalities"]
    run_prepare("citeulike", raw, tmp_path / "with", "--dims", 2, "--modalities", "text", "tags")
    assert "they leak" in capsys.readouterr().err
    assert any("they leak" in note for note in load_dataset(str(tmp_path / "with")).notes)


def test_tags_of_citeulike_a_have_a_line_per_item(raw: Path, tmp_path: Path) -> None:
    """The same tags, written by tag and by item, give the same features."""
    by_item = [[item % 3, 3 + item % 2] for item in range(12)]
    (raw / "item-tag.dat").write_text("".join(f"{len(tags)} {' '.join(map(str, tags))}\n" for tags in by_item))
    run_prepare("citeulike", raw, tmp_path / "a", "--dims", 2, "--modalities", "tags")
    (raw / "item-tag.dat").unlink()
    by_tag = [[item for item, tags in enumerate(by_item) if tag in tags] for tag in range(5)]
    (raw / "tag-item.dat").write_text("".join(f"{len(items)} {' '.join(map(str, items))}\n" for items in by_tag))
    run_prepare("citeulike", raw, tmp_path / "t", "--dims", 2, "--modalities", "tags")
    assert (tmp_path / "a" / "tags_feat.npy").read_bytes() == (tmp_path / "t" / "tags_feat.npy").read_bytes()


def test_blank_lines_at_the_end_say_nothing(raw: Path, tmp_path: Path) -> None:
    for path in raw.glob("*.dat"):
        path.write_text(path.read_text().rstrip() + "\r\n\n")
    assert run_prepare("citeulike", raw, tmp_path / "out", "--dims", 2) == 0


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (
            "users.dat",
            "2 1 2\nx 1\n",
            r"users\.dat, line 2: expected a count and as many items as whole numbers, found",
        ),
        ("users.dat", "2 1 2\n3 1 2\n", r"users\.dat, line 2: .*found \"2 after the count '3'\""),
        ("users.dat", "2 1 99\n", r"users\.dat, line 1: expected items below 12, the lines of mult\.dat, found '99'"),
        ("users.dat", "2 1 -2\n", r"users\.dat, line 1"),
        ("users.dat", "2 1 2\n\n1 1\n", r"users\.dat, line 2: .*found 'an empty line'"),
        ("users.dat", "", r"users\.dat: the file is empty"),
        ("mult.dat", "1 3:x\n", r"mult\.dat, line 1: expected a count and as many words as number:count"),
        ("mult.dat", "1 3\n", r"mult\.dat, line 1"),
        ("mult.dat", "1 3:1\n", r"one line per item expected .* mult\.dat has 1, citations\.dat has 12"),
        ("mult.dat", "1 77:1\n" * 12, r"mult\.dat, line 1: expected words below 20, the lines of vocabulary\.dat"),
        ("citations.dat", "1 12\n" + "0\n" * 11, r"citations\.dat, line 1: expected items below 12"),
    ],
)
def test_a_faulty_line_is_named(raw: Path, tmp_path: Path, file: str, text: str, message: str) -> None:
    (raw / file).write_text(text)
    with pytest.raises(UserError, match=message):
        run_prepare("citeulike", raw, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_missing_files_are_named(raw: Path, tmp_path: Path) -> None:
    (raw / "users.dat").rename(raw / "user.dat")
    with pytest.raises(UserError, match=r"users\.dat: no such raw file; expected users\.dat, found citations\.dat"):
        run_prepare("citeulike", raw, tmp_path / "out")
    with pytest.raises(UserError, match="no such file or folder"):
        run_prepare("citeulike", raw / "nowhere", tmp_path / "out")
    (raw / "user.dat").rename(raw / "users.dat")
    with pytest.raises(UserError, match=r"needs running text|needs its packages"):
        run_prepare("citeulike", raw, tmp_path / "out", "--text", "minilm")

"""Files of a study that were cut short or overwritten: made again, or named in one line that says what to do."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sea_core.errors import run_program
from study import run_search, status

pytestmark = pytest.mark.slow

DATA = "synthetic:users=40,items=30,interactions=8,dims=8/6"
SMALL = ["latent_dim=4", "item_mlp_hidden=6", "align_hidden=4", "align_out=4", "distance_dim=4", "club_steps=2"]

Search = Callable[[Path, int], int]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two trials, with its winner and baselines."""
    out = tmp_path_factory.mktemp("damage")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEA_CACHE", str(out / "cache"))
        assert search(out, 2, patch) == 0
    return out / "s"


def search(out: Path, trials: int, patch: pytest.MonkeyPatch) -> int:
    patch.setattr("plots.lib.pictures.study_pictures", lambda study, out: [])
    options = [
        "-d",
        DATA,
        "--out",
        str(out),
        "--study-name",
        "s",
        "--n-trials",
        str(trials),
        "--quiet",
        "--threads",
        "1",
    ]
    options += ["--finalists", "1", "--fresh-seeds", "1", "--no-ablations", "--set", *SMALL, "epochs=2"]
    return run_program(lambda: run_search.main(options))


@pytest.fixture
def study(finished: Path, tmp_path: Path, cache_folder: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(finished, tmp_path / "s"))


def half(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def garbage(path: Path) -> None:
    path.write_bytes(b"\x00\xffgarbage" * 40)


def clobbered(path: Path) -> None:
    """The first page stands, the rest is overwritten: SQLite opens it, and finds out later."""
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


@pytest.mark.parametrize("damage", [half, garbage, clobbered])
def test_a_damaged_database_is_named_and_no_other_file_touched(
    study: Path, damage: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for extra in study.glob("study.db-*"):
        extra.unlink()
    damage(study / "study.db")
    records = {path: path.read_bytes() for path in study.rglob("*.json") if path.name != "provenance.json"}
    assert search(study.parent, 3, monkeypatch) == 2
    error_line = capsys.readouterr().err
    assert error_line.count("\n") == 1, error_line
    assert str(study) in error_line
    assert {path: path.read_bytes() for path in records} == records
    assert run_program(lambda: status.main([str(study)])) == 2
    error_line = capsys.readouterr().err
    assert error_line.count("\n") == 1, error_line
    assert "study.db" in error_line


@pytest.mark.parametrize("damage", [half, garbage])
def test_a_damaged_config_is_named(
    study: Path, damage: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(study / "config.yaml")
    assert search(study.parent, 3, monkeypatch) == 2
    error_line = capsys.readouterr().err
    assert error_line.count("\n") == 1, error_line
    assert "config.yaml" in error_line


@pytest.mark.parametrize("damage", [half, garbage])
@pytest.mark.parametrize(
    "name",
    [
        "trials/0/record.json",
        "final/winner/*/record.json",
        "final/baselines/popularity/record.json",
        "final/selection.json",
        "provenance.json",
    ],
)
def test_what_can_be_made_again_is_made_again(
    study: Path, name: str, damage: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = (study / "tables/trials.csv").read_bytes()
    (path,) = study.glob(name)
    damage(path)
    broken = path.read_bytes()
    assert search(study.parent, 2, monkeypatch) == 0
    assert path.read_bytes() != broken
    assert (study / "tables/trials.csv").read_bytes() == table


@pytest.mark.parametrize("name", ["summary.json", "final/winner/*/receipt.json", "final/winner/*/test.parquet"])
def test_a_damaged_result_is_never_shown(
    study: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = study.glob(name)
    half(path)
    assert search(study.parent, 2, monkeypatch) == 2
    error_line = capsys.readouterr().err
    assert error_line.count("\n") == 1, error_line
    assert str(path) in error_line

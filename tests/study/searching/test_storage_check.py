"""A study's folder was renamed or copied, or its storage is gone: one line says so, and what to do."""

import shutil
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest

from sea_core.errors import run_program
from study import run_search, status
from study.records.folder import StudyFolder
from study.records.spec import StudySpec, read_spec
from study.records.study import load_study

DATA = "synthetic:users=40,items=30,interactions=8,dims=8/6"
SMALL = ["latent_dim=4", "item_mlp_hidden=6", "align_hidden=4", "align_out=4", "distance_dim=4", "club_steps=2"]

Search = Callable[..., int]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search of two trials, nothing finalised."""
    root = tmp_path_factory.mktemp("storage")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEA_CACHE", str(root / "cache"))
        assert search(root, "old", 2) == 0
    return root


@pytest.fixture
def out(finished: Path, tmp_path: Path, cache_folder: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(finished, tmp_path / "out"))


def search(out: Path, name: str, trials: int, *options: str) -> int:
    given = ["-d", DATA, "--out", str(out), "--study-name", name, "--n-trials", str(trials), *options, "--quiet"]
    given += ["--threads", "1", "--no-finalize", "--set", *SMALL, "epochs=1"]
    return run_program(lambda: run_search.main(given))


def spec_of(root: Path) -> StudySpec:
    spec = read_spec(StudyFolder(root))
    assert spec is not None
    return spec


@pytest.mark.slow
def test_a_renamed_study_is_recognised_and_goes_on_when_adopted(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (out / "old").rename(out / "new")
    assert search(out, "new", 3) == 2
    error_line = capsys.readouterr().err
    assert "new is the study 'old', renamed or copied; add --adopt to go on with it as 'new'" in error_line
    assert status.main([str(out / "new")]) == 0
    error_line = capsys.readouterr().out
    assert "2 trials done" in error_line
    assert "renamed or copied from 'old'; run_search.py --adopt" in error_line
    before = [trial.params for trial in load_study(out / "new").trials]
    assert search(out, "new", 3, "--adopt") == 0
    trials = load_study(out / "new").trials
    assert [trial.params for trial in trials][:2] == before
    assert len(trials) == 3
    assert spec_of(out / "new").study == "new"
    assert search(out, "new", 3) == 0, "it needs no flag any more"
    capsys.readouterr()
    assert status.main([str(out / "new")]) == 0
    assert "renamed" not in capsys.readouterr().out


@pytest.mark.slow
def test_an_adopted_copy_is_searched_as_the_original_would_have_been(out: Path) -> None:
    shutil.copytree(out / "old", out / "copy")
    assert search(out, "copy", 4, "--adopt") == 0
    assert [trial.number for trial in load_study(out / "old").trials] == [0, 1], "the original is left alone"
    assert search(out, "old", 4) == 0
    old, copy = ([(t.params, t.value) for t in load_study(out / name).trials] for name in ("old", "copy"))
    assert copy == old


@pytest.mark.slow
def test_a_lost_database_is_named_and_no_empty_one_left(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (out / "old" / "study.db").unlink()
    for _ in range(2):
        assert search(out, "old", 3) == 2
        assert "study.db is gone, and" in capsys.readouterr().err
        assert not (out / "old" / "study.db").exists()
        assert run_program(lambda: status.main([str(out / "old")])) == 2
    assert "restore it" in capsys.readouterr().err


def test_a_database_that_lost_its_trials_is_no_study_without_trials(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (out / "old").glob("study.db*"):
        path.unlink()
    optuna.create_study(storage=f"sqlite:///{out}/old/study.db", study_name="old")  # as a failed resume left it
    assert run_program(lambda: status.main([str(out / "old")])) == 2
    assert "the storage holds 0 trials, and" in capsys.readouterr().err
    assert search(out, "old", 3) == 2
    assert "holds trials that the storage does not know" in capsys.readouterr().err


@pytest.mark.slow
def test_what_a_warm_start_took_over_is_kept_whatever_becomes_of_its_source(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search(out, "warm", 4, "--warm-start", "old") == 0
    taken = spec_of(out / "warm").warm_start
    assert search(out, "old", 6) == 0  # another best trial, perhaps
    assert search(out, "warm", 5, "--warm-start", "old") == 0
    assert search(out, "warm", 6) == 0
    (out / "old").rename(out / "gone")
    assert search(out, "warm", 7, "--warm-start", "old") == 0
    study = load_study(out / "warm")
    assert len(study.trials) == 7
    assert spec_of(out / "warm").warm_start == taken
    capsys.readouterr()
    assert search(out, "warm", 8, "--warm-start", "gone") == 2
    assert "took over the best trials of 'old', not of 'gone'" in capsys.readouterr().err


@pytest.mark.slow
def test_a_study_that_was_begun_cold_is_not_warmed_later(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert search(out, "other", 1) == 0
    assert search(out, "old", 3, "--warm-start", "other") == 2
    assert "warm_start: was absent" in capsys.readouterr().err

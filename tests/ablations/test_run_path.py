"""The program of the ablation path, on a study that trains in a blink."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import study
from ablations.run_path import main
from sea_core.errors import UserError
from sea_core.interrupts import StopRequest
from sea_core.run_folder import RECEIPT, RECORD, TEST
from study.ablation.path import run_path
from study.ablation.path_setup import cost_of, plan_path
from study.listeners.registry import LISTENERS
from study.records.study import Study, load_study
from study.running.events import Emit, RunEnded, RunEvent
from study.running.resources import Resources
from tests.study.results import write_search

DATASET = "synthetic:users=30,items=30,interactions=8,dims=6/5"
SETTINGS = {"latent_dim": 4, "item_mlp_hidden": 4, "club_steps": 1, "knn_k": 3}
THREADS = Resources(threads=1)
# The base configuration is trial 0; the second trial differs in all three and trains faster, so that it wins.
SPACE: dict[str, Any] = {
    "learning_rate": {"low": 1e-4, "high": 0.1, "log": True},
    "temperature": {"low": 0.05, "high": 1.0, "log": True},
    "gnn_layers": {"low": 1, "high": 3},
    "first": [{"learning_rate": 0.03, "temperature": 0.5, "gnn_layers": 1}],
}


def request(out: Path, **keys: Any) -> study.PathRequest:
    return study.PathRequest(from_study="s", out=out, resources=THREADS, **keys)


@pytest.fixture
def searched(tmp_path: Path, cache_folder: Path) -> Path:
    made = study.finalize(
        study.SearchRequest(
            dataset=DATASET,
            study_name="s",
            out=tmp_path,
            space=SPACE,
            settings=SETTINGS,
            n_trials=2,
            epochs=3,
            final_epochs=3,
            finalists=2,
            fresh_seeds=2,
            resources=THREADS,
        ),
        quiet=True,
    )
    assert made.winner[0].config.learning_rate == 0.03, "the tests below need a winner that is not the default"
    return tmp_path


def records(root: Path) -> dict[str, dict[str, Any]]:
    """All of the path's records without the clock."""
    files = {path: json.loads(path.read_text()) for path in sorted((root / "s" / "path").rglob("*.json"))}
    clock = ("seconds", "cpu_seconds", "time")
    return {
        str(path.relative_to(root)): {key: value for key, value in content.items() if key not in clock}
        for path, content in files.items()
        if path.name != RECEIPT
    }


def made(out: Path) -> Study:
    return load_study(out / "s")


@pytest.mark.slow
def test_a_killed_path_ends_as_an_undisturbed_one_and_opens_the_test_split_once_a_run(
    searched: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--from-study", "s", "--out", str(searched), "--threads", "1", "--quiet"]
    assert main([*command, "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert "3 parameters differ" in printed
    assert "choosing the order (greedy, 3 seeds, validation): at most 15 runs, 15 of them to train" in printed
    assert "testing the steps on 2 other seeds: 4 runs" in printed
    assert "--choose once: 13 runs in place of 19" in printed
    assert not (searched / "s" / "path").exists()

    class KilledError(Exception):
        pass

    def killing_after(count: int) -> Emit:
        left = iter(range(count))

        def emit(event: RunEvent) -> None:
            if isinstance(event, RunEnded) and next(left, None) is None:
                raise KilledError

        return emit

    plan = plan_path(request(searched))
    for runs in (4, 9, 3):  # within the first step, within the second, while the steps are tested
        with pytest.raises(KilledError):
            run_path(plan, THREADS, emit=killing_after(runs), stop=StopRequest())
        left = cost_of(plan)
        assert left.candidates_left + left.steps_left < 19
    assert main(command) == 0
    interrupted = records(searched)
    study_ = made(searched)
    assert study_.path is not None
    assert len(study_.path_candidates) == 15
    assert len(study_.path_steps) == 4
    assert not any((run.folder / TEST).exists() for run in study_.path_candidates)
    assert all(len((run.folder / RECEIPT).read_text().splitlines()) >= 1 for run in study_.path_steps)
    assert {run.seed for run in study_.path_candidates}.isdisjoint({run.seed for run in study_.winner})
    capsys.readouterr()
    assert main([*command, "--dry-run"]) == 0
    assert "0 of them to train" in capsys.readouterr().out

    (searched / "s" / "path").rename(searched / "aside")
    assert main(command) == 0
    undisturbed = records(searched)
    assert interrupted == undisturbed
    for name in ("tables/path.csv", "tables/path.md", "figures/path.png"):
        assert (searched / "s" / name).stat().st_size
    assert "On the way from the base configuration to the winner" in (searched / "s" / "report.html").read_text()

    # What was asked for holds for the next call; a cheaper order may be another, and says so if steps were tested.
    assert main([*command, "--choose", "once"]) == 0
    path = made(searched).path
    assert path is not None
    assert path.choose == "once"
    assert plan_path(request(searched)).choose == "once"


@pytest.mark.slow
def test_listeners_hear_of_tables_before_the_end_and_a_finished_path_computes_none(
    searched: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    heard: list[str] = []

    class Diary:
        def hear(self, event: RunEvent) -> None:
            heard.append(type(event).__name__)

        def close(self) -> None:
            pass

    parts = {**{name: LISTENERS[name] for name in LISTENERS}, "diary": lambda _: Diary()}
    monkeypatch.setattr(LISTENERS, "_parts", parts)
    command = ["--from-study", "s", "--out", str(searched), "--threads", "1", "--quiet", "--listener", "diary"]
    cheap = ["--choose", "once", "--choice-seeds", "1"]
    assert main([*command, *cheap]) == 0
    printed = capsys.readouterr().out
    assert "Path from the base configuration to the winner" in printed
    assert "TableWritten" in heard
    assert heard[-1] == "StudyEnded"
    heard.clear()
    assert main(command) == 0
    assert "TableWritten" not in heard
    with pytest.raises(UserError, match="two paths would share one folder"):
        main([*command, "--from-study", str(searched / "s" / ".." / "s")])
    again = capsys.readouterr().out
    assert again[again.index("Path from") :] == printed[printed.index("Path from") :]


@pytest.mark.slow
def test_where_the_winner_is_the_default_there_is_no_path(
    tmp_path: Path, cache_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study.finalize(
        study.SearchRequest(
            dataset=DATASET, study_name="s", out=tmp_path, settings=SETTINGS, n_trials=1, epochs=2, final_epochs=2,
            finalists=1, fresh_seeds=2, resources=THREADS,
        ),
        quiet=True,
    )  # fmt: skip
    assert main(["--from-study", "s", "--out", str(tmp_path)]) == 0
    assert "no path: the winner is the base configuration" in capsys.readouterr().out
    assert study.path(request(tmp_path), quiet=True).path is None
    assert not list((tmp_path / "s").glob(f"path/**/{RECORD}"))


def test_mistakes_are_named(tmp_path: Path, cache_folder: Path) -> None:
    with pytest.raises(UserError, match="give --from-study NAME"):
        main([])
    with pytest.raises(UserError, match="no study folder"):
        main(["--from-study", "nowhere", "--out", str(tmp_path)])
    with pytest.raises(UserError, match=r"--seeds must be at least 1, got 0"):
        main(["--from-study", "s", "--seeds", "0"])
    with pytest.raises(UserError, match=r"--choice-seeds must be at most 64, got 65"):
        main(["--from-study", "s", "--choice-seeds", "65"])
    with pytest.raises(UserError, match="where one study's data are now, got 1 datasets and 2 studies"):
        main(["--from-study", "a", "--from-study", "b", "-d", "synthetic"])
    with pytest.raises(UserError, match=r"unknown --choose 'gready'.*greedy"):
        study.PathRequest(from_study="s", choose="gready")


def test_a_study_without_a_search_has_no_base_configuration(tmp_path: Path, cache_folder: Path) -> None:
    from sea_core.data.catalogue import load_dataset

    dataset = load_dataset(DATASET)
    write_search(tmp_path, name="s", data_hash=dataset.data_hash, split_hash=dataset.split_hash)
    with pytest.raises(UserError, match="has no search, so no base configuration"):
        main(["--from-study", "s", "--out", str(tmp_path), "-d", DATASET])

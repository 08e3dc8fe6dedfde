"""A study answers what everybody asks of it, by one rule each."""

from pathlib import Path

import pytest

from sea_core.errors import UserError
from sea_core.files import write_json
from study.records.folder import StudyFolder
from study.records.selection import Selection
from study.records.study import load_study
from tests.study.results import write_arms, write_result, write_search


def write_trials(root: Path, values: list[float | None]) -> None:
    for number, value in enumerate(values):
        state = "complete" if value is not None else "pruned"
        trial = {
            "number": number,
            "state": state,
            "value": 0.9 if value is None else value,
            "params": {"knn_k": number},
        }
        write_result(StudyFolder(root).trial(number), 0.1, seed=999, trial=trial)


def test_the_earliest_of_equal_trials_is_the_best_and_pruned_ones_never_are(tmp_path: Path) -> None:
    write_trials(tmp_path / "s", [0.1, None, 0.3, 0.2, 0.3])
    study = load_study(tmp_path / "s")
    assert [trial.number for trial in study.ranked_trials] == [2, 4, 3, 0]
    assert study.best_trial is study.ranked_trials[0]
    assert (study.metric, study.direction, study.title) == ("recall@20", "maximize", "s on tiny")


def test_a_study_without_a_complete_trial_has_no_best(tmp_path: Path) -> None:
    write_trials(tmp_path / "s", [None])
    assert load_study(tmp_path / "s").best_trial is None


def test_runs_are_chosen_by_arm_and_mode(tmp_path: Path) -> None:
    root = write_arms(write_search(tmp_path), {"full": 0.0, "no-club": 0.0}, seeds=2)
    write_arms(root, {"full": 0.0}, seeds=2, mode="retuned")
    study = load_study(root)
    assert len(study.runs()) == len(study.ablations) == 6
    assert {(run.arm, run.mode) for run in study.runs(arm="full")} == {("full", "frozen"), ("full", "retuned")}
    assert [run.seed for run in study.runs(arm="no-club", mode="frozen")] == [1, 2]
    assert study.runs(arm="no-club", mode="retuned") == []
    assert study.runs(arm="no-club")[0].title == "title of no-club"


def test_the_selection_is_read_with_and_without_what_came_later(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    assert load_study(root).selection is None
    content = {"winner": 0, "rule": "by {metric}", "finalists": [{"number": 0}, {"number": 3}], "seeds": [11, 12]}
    path = StudyFolder(root).selection
    write_json(path, content | {"shrinkage": None})
    assert load_study(root).selection == Selection(0, "by {metric}", (0, 3), (11, 12), None, None, None)
    write_json(path, content | {"trials": 4, "shrinkage": {"difference": 0.1}})
    assert load_study(root).selection == Selection(0, "by {metric}", (0, 3), (11, 12), 4, {"difference": 0.1}, None)
    path.write_text("[]")
    with pytest.raises(UserError, match=r"cannot read .*selection\.json"):
        _ = load_study(root).selection

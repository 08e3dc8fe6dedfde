"""How long trials may learn, and how long what is final."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from sea_core.errors import UserError
from sea_core.files import write_json
from study.planning.requests import SearchRequest
from study.planning.study_plan import StudyPlan, plan_study
from study.records.spec import write_spec
from study.searching.cost import Cost
from study.searching.promotion import RUNGS, Promotion

DATA = "synthetic:users=40,items=30,interactions=8,dims=8/6"


def planned(tmp_path: Path, **asked: Any) -> StudyPlan:
    return plan_study(SearchRequest(dataset=DATA, out=tmp_path, **asked))


@pytest.mark.parametrize(
    ("asked", "trial", "final"),
    [
        ({}, 1000, 1000),
        ({"final_epochs": 300, "rungs": (10, 30)}, 300, 300),
        ({"settings": {"epochs": 50}}, 50, 50),
        ({"pruner": "median"}, 40, 1000),
        ({"epochs": 10}, 10, 1000),
        ({"epochs": 2000}, 2000, 2000),
        ({"final_epochs": 300, "pruner": "median"}, 40, 300),
        ({"final_epochs": 30, "seeds_per_trial": 2}, 30, 30),
        ({"epochs": 10, "final_epochs": 20}, 10, 20),
        ({"settings": {"epochs": 5}}, 5, 5),
        ({"settings": {"epochs": 50}, "epochs": 10}, 10, 50),
        ({"settings": {"epochs": 50}, "final_epochs": 90}, 50, 90),
    ],
)
def test_trials_that_pause_are_capped_as_finals_others_are_short_and_finals_learn_until_they_stop(
    tmp_path: Path, asked: dict[str, Any], trial: int, final: int
) -> None:
    plan = planned(tmp_path, **asked)
    assert (plan.base.epochs, plan.final_epochs) == (trial, final)
    assert plan.final_base == plan.base.override(epochs=final)


def test_a_study_goes_on_with_its_own_cap_unless_another_one_is_asked_for(tmp_path: Path) -> None:
    plan = planned(tmp_path, final_epochs=200)
    plan.folder.root.mkdir()
    write_spec(plan.folder, plan.spec)
    again = planned(tmp_path)
    assert (again.exists, again.final_epochs) == (True, 200)
    longer = planned(tmp_path, final_epochs=300)
    assert (longer.exists, longer.final_epochs) == (True, 300)
    assert longer.spec.final_epochs == 300


def test_a_study_goes_on_as_it_was_begun_whatever_the_defaults_are_now(tmp_path: Path) -> None:
    plan = planned(tmp_path, pruner="median", fresh_seeds=3)
    plan.folder.root.mkdir()
    write_spec(plan.folder, plan.spec)
    again = planned(tmp_path)
    assert (again.exists, again.pruner, again.base.epochs, again.promotion) == (True, "median", 40, None)
    assert (again.trials, again.budget) == (20, None)
    plan.folder.selection.parent.mkdir()
    entry = {"number": 0, "seeds": [1, 2, 3, 4, 5]}
    write_json(plan.folder.selection, {"winner": 0, "rule": "", "finalists": [entry], "seeds": [6, 7, 8, 9, 10, 11]})
    again = planned(tmp_path)
    assert (again.finalist_seeds, again.fresh_seeds) == (5, 6), "a choice that was made is not made again otherwise"


def test_rungs_are_part_of_a_study_and_a_later_call_need_not_repeat_them(tmp_path: Path) -> None:
    plan = planned(tmp_path, rungs=(5, 25))
    plan.folder.root.mkdir()
    write_spec(plan.folder, plan.spec)
    again = planned(tmp_path)
    assert (again.exists, again.promotion) == (True, Promotion(rungs=(5, 25)))
    with pytest.raises(UserError, match=r"promotion.rungs: was \[5, 25\], now \[10, 30\]"):
        planned(tmp_path, rungs=(10, 30))


def test_usual_rungs_beyond_a_small_cap_are_left_out_and_asked_for_ones_are_refused(tmp_path: Path) -> None:
    for cap, rungs in ((100, RUNGS), (20, RUNGS[:1]), (5, ())):
        assert planned(tmp_path, epochs=cap).promotion == Promotion(rungs=rungs)
    with pytest.raises(UserError, match=r"--rungs must lie below the most epochs of a trial \(20\), got 30"):
        planned(tmp_path, epochs=20, rungs=(10, 30))
    with pytest.raises(UserError, match=r"below the most epochs of a trial \(25\), got 30"):
        planned(tmp_path, settings={"epochs": 25}, rungs=(10, 30))


def test_a_new_study_has_the_budget_of_twenty_whole_runs_unless_something_else_is_said(tmp_path: Path) -> None:
    twenty = Cost(20, "runs")
    for asked, budget, trials in (
        ({}, twenty, None),
        ({"timeout": 60.0}, twenty, None),
        ({"n_trials": 7}, None, 7),
        ({"n_trials": 7, "budget": "3x"}, Cost(3, "runs"), 7),
        ({"pruner": "median"}, None, 20),
        ({"seeds_per_trial": 3}, None, 20),
    ):
        plan = planned(tmp_path, **asked)  # type: ignore[arg-type]
        assert (plan.budget, plan.trials) == (budget, trials)


def test_a_study_from_before_there_were_two_caps_keeps_its_one(tmp_path: Path) -> None:
    plan = planned(tmp_path, pruner="median")
    plan.folder.root.mkdir()
    old = {key: value for key, value in plan.spec.as_dict().items() if key not in ("first", "final_epochs")}
    plan.folder.identity.write_text(yaml.safe_dump(old))
    again = planned(tmp_path)
    assert (again.exists, again.base.epochs, again.final_epochs) == (True, 40, 40)

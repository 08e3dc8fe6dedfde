"""How long trials may learn, and how long what is final."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from study.planning.requests import SearchRequest
from study.planning.study_plan import StudyPlan, plan_study
from study.records.spec import write_spec

DATA = "synthetic:users=40,items=30,interactions=8,dims=8/6"


def planned(tmp_path: Path, **asked: Any) -> StudyPlan:
    return plan_study(SearchRequest(dataset=DATA, out=tmp_path, **asked))


@pytest.mark.parametrize(
    ("asked", "trial", "final"),
    [
        ({}, 40, 1000),
        ({"epochs": 10}, 10, 1000),
        ({"epochs": 2000}, 2000, 2000),
        ({"final_epochs": 300}, 40, 300),
        ({"final_epochs": 30}, 30, 30),
        ({"epochs": 10, "final_epochs": 20}, 10, 20),
        ({"settings": {"epochs": 5}}, 5, 5),
        ({"settings": {"epochs": 50}, "epochs": 10}, 10, 50),
        ({"settings": {"epochs": 50}, "final_epochs": 90}, 50, 90),
    ],
)
def test_trials_are_short_and_finals_learn_until_they_stop(
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


def test_a_study_from_before_there_were_two_caps_keeps_its_one(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    plan.folder.root.mkdir()
    old = {key: value for key, value in plan.spec.as_dict().items() if key not in ("first", "final_epochs")}
    plan.folder.identity.write_text(yaml.safe_dump(old))
    again = planned(tmp_path)
    assert (again.exists, again.base.epochs, again.final_epochs) == (True, 40, 40)

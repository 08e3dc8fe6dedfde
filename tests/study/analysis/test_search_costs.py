"""Searches of several models have equal budgets if they cost as many full runs of their own defaults."""

from __future__ import annotations

from pathlib import Path

import pytest

from sea_core.config import Config
from sea_core.files import write_json
from study.ablation.arms import load_arms
from study.ablation.retune import plan_retuning
from study.analysis.results import Results
from study.analysis.search_costs import cost_alike, full_runs
from study.records.folder import StudyFolder
from study.records.spec import StudySpec, write_spec
from study.records.study import Study, load_study
from study.reporting.page.cautions import cautions
from study.reporting.tables import budgets
from study.searching.cost import Cost
from study.searching.promotion import Promotion
from tests.conftest import random_dataset
from tests.study.results import write_result

RULES = Promotion().as_dict()


def write_trials(folder: StudyFolder, epochs: list[int], *, config: Config | None = None, **first: object) -> None:
    config = config or Config()
    folder.root.mkdir(parents=True, exist_ok=True)
    space = {"learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}}
    spec = StudySpec(
        study=folder.name, dataset="tiny", data_hash="d" * 16, sampler="tpe", pruner="promote", promotion=RULES,
        space=space, config=config.as_dict(),
    )  # fmt: skip
    write_spec(folder, spec)
    for number, count in enumerate(epochs):
        trial = {"number": number, "state": "complete", "value": 0.1, "params": {"learning_rate": 1e-3}}
        trial |= first if number == 0 else {}
        write_result(folder.trial(number), 0.1, seed=1, config=config, trial=trial, epochs=count)


def study_with(tmp_path: Path, ours: list[int], arms: dict[str, list[int]]) -> Study:
    folder = StudyFolder(tmp_path / "s")
    write_trials(folder, ours)
    for arm, epochs in arms.items():
        write_trials(StudyFolder(folder.root / "ablations" / "retuned" / arm / "search"), epochs)
    return load_study(folder.root)


def test_the_cost_is_counted_in_runs_as_long_as_the_first_trial(tmp_path: Path) -> None:
    assert full_runs(study_with(tmp_path, [100, 10, 10, 30, 50], {}).trials) == pytest.approx(2.0)


def test_a_first_trial_that_failed_says_nothing_about_a_full_run(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "s")
    write_trials(folder, [100, 10], state="failed")
    assert full_runs(load_study(folder.root).trials) is None
    assert full_runs([]) is None


@pytest.mark.parametrize(
    ("one", "other", "alike"), [(10, 10.9, True), (10, 8.9, False), (30, 32.5, True), (2, 3.1, False)]
)
def test_the_last_run_may_make_the_difference(one: float, other: float, *, alike: bool) -> None:
    assert cost_alike(one, other) is alike


def test_searches_of_other_lengths_and_equal_cost_are_called_equal(tmp_path: Path) -> None:
    arms = {"bpr": [200, 20, 20, 60, 100], "vbpr": [20, 2, 2, 2, 4, 10]}
    study = study_with(tmp_path, [100, 10, 10, 30, 50], arms)
    notes = budgets.compare_budgets(study)
    assert notes == ["Equal budgets: each of the 3 searches cost 2.0 full runs of its default."]
    assert not [caution for caution in cautions(study, Results([study])) if caution.title == "Unequal searches"]


def test_one_that_cost_more_is_named_with_its_cost(tmp_path: Path) -> None:
    study = study_with(tmp_path, [100, 50, 50], {"bpr": [10] * 9, "vbpr": [30, 30]})
    (note,) = budgets.compare_budgets(study)
    assert note == ("Unequal budgets of searches: search cost 2.0 full runs of its default, but bpr: search (9.0).")
    (caution,) = [caution for caution in cautions(study, Results([study])) if caution.title == "Unequal searches"]
    assert caution.text.endswith("tuned for 2.0 full runs of its default; not so: bpr 9.0.")


def test_a_retuned_arm_gets_the_cost_of_the_study_and_not_its_number_of_trials(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "s")
    write_trials(folder, [100, 10, 10, 30, 50])
    chosen = {"winner": 0, "rule": "", "finalists": [{"number": 0}], "seeds": [7]}
    folder.selection.parent.mkdir(parents=True)
    write_json(folder.selection, chosen)
    planned, _ = plan_retuning(
        load_study(folder.root), load_arms(["bpr"]), random_dataset(dims={"image": 6, "text": 5})
    )
    search = next(each.search for each in planned if each.search is not None)
    assert (search.trials, search.budget) == (None, Cost(2.0, "runs"))
    assert search.base.model == "bpr"

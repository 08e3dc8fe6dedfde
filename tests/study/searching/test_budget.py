"""A search that ends when its trials have cost enough."""

import time
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from study.searching.budget import Budget, epochs_of
from study.searching.cost import Cost
from tests.study.small_searches import BASE, outcome, search

CAP = 50


def trial(number: int, epochs: int | None, *, state: TrialState = TrialState.COMPLETE, **attrs: Any) -> FrozenTrial:
    values = {"value": 0.1} if state == TrialState.COMPLETE else {}
    attrs |= {} if epochs is None else {"epochs": epochs}
    made = create_trial(state=state, user_attrs=attrs, **values)
    made.number = number
    return made


def over(cost: Cost, finished: list[FrozenTrial], **budget: Any) -> str | None:
    return Budget(cost=cost, **budget).over(finished, begun=len(finished), cap=CAP)


def test_another_trial_begins_if_a_whole_run_is_left() -> None:
    trials = [trial(0, 20), trial(1, 30)]
    assert over(Cost(70, "epochs"), trials) is None
    assert over(Cost(69, "epochs"), trials) == "50 of 69 epochs are spent, and another run might go beyond"
    assert over(Cost(3.5, "runs"), trials) is None
    assert over(Cost(3.4, "runs"), trials) == "2.5 of 3.4 whole runs are spent, and another run might go beyond"


def test_time_is_training_time_and_shared_by_the_workers() -> None:
    trials = [trial(0, 20, seconds=10.0), trial(1, 30, seconds=14.0)]
    assert over(Cost(34, "seconds"), trials) is None
    assert over(Cost(33, "seconds"), trials) is not None
    assert over(Cost(17, "seconds"), trials, workers=2) is None


def test_copies_cost_nothing_and_what_was_pruned_failed_or_goes_on_costs_its_epochs() -> None:
    pruned = create_trial(state=TrialState.PRUNED, intermediate_values={0: 0.1, 1: 0.1}, user_attrs={"epochs": 2})
    running = create_trial(state=TrialState.RUNNING, intermediate_values={0: 0.1, 1: 0.1, 2: 0.1})
    failed = create_trial(state=TrialState.FAIL, intermediate_values={0: 0.1})
    copy = trial(9, 20, duplicate_of=3)
    assert [epochs_of(each) for each in (pruned, running, failed, copy)] == [2, 3, 1, 0]


def test_a_whole_run_is_the_first_trials_or_the_cap_if_that_failed() -> None:
    assert over(Cost(2, "runs"), [trial(0, 20)]) is None
    assert over(Cost(1, "runs"), [trial(0, 20)]) is not None
    going = [trial(0, None, state=TrialState.RUNNING)]
    assert over(Cost(1, "runs"), going) is None, "nobody knows yet how long a run is"
    failed = [trial(0, None, state=TrialState.FAIL)]
    assert over(Cost(CAP, "epochs"), failed) is None
    assert over(Cost(CAP - 1, "epochs"), failed) is not None
    seeds = [trial(0, 60, seeds=3)]
    assert over(Cost(80, "epochs"), seeds) is None
    assert over(Cost(79, "epochs"), seeds) is not None


def test_trials_and_time_may_end_a_search_before_its_cost_does() -> None:
    cost = Cost(10**6, "epochs")
    assert over(cost, [trial(0, 20)], trials=1) == "1 trials were begun"
    assert over(cost, [trial(0, 20)], deadline=time.monotonic() - 1) == "its time is over"


@pytest.mark.parametrize("pruner", ["none", "median", "hyperband"])
@pytest.mark.slow
def test_a_search_costs_no_more_than_its_budget_and_goes_on_where_it_was(tmp_path: Path, pruner: str) -> None:
    spent = {}
    for epochs in (42, 60, 61):
        store = search(tmp_path / "goes on", None, pruner=pruner, budget=Budget(cost=Cost(epochs, "epochs")))
        spent[epochs] = sum(map(epochs_of, store.trials()))
        assert epochs - BASE.epochs < spent[epochs] <= epochs
    whole = search(tmp_path / "whole", None, pruner=pruner, budget=Budget(cost=Cost(61, "epochs")))
    assert outcome(whole) == outcome(store)

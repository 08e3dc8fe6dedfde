"""A search that pauses its trials, driven with stand-in training."""

import json
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from sea_core.errors import DivergedError
from study.records.run import Run
from study.records.study import load_study
from study.running.events import RunEvent, TrialPaused
from study.searching.budget import Budget
from study.searching.cost import Cost
from study.searching.promoting import PromotingSearch
from study.searching.promotion import Promotion
from tests.conftest import random_dataset
from tests.study.small_searches import BASE, PROMOTION, outcome, search
from tests.study.stand_in import StandInWorker

CHECKPOINT = "trials/*/checkpoint.safetensors"
SMALL_SPACE = {"knn_k": {"choices": [3, 5]}, "gnn_layers": {"low": 1, "high": 3}}


def epochs(tmp_path: Path, trials: int, **settings: Any) -> list[int]:
    store = search(tmp_path, trials, pruner="promote", **settings)
    return [len(trial.intermediate_values) for trial in store.trials()]


def search_killed(tmp_path: Path) -> None:
    """Twelve trials, killed when the sixth pauses."""

    class KilledError(BaseException):
        pass

    def kill(event: RunEvent) -> None:
        if isinstance(event, TrialPaused) and event.number == 5:
            raise KilledError

    with pytest.raises(KilledError):
        search(tmp_path, 12, pruner="promote", emit=kill)


def test_trials_pause_at_rungs_the_better_go_on_and_the_rest_is_pruned_in_the_end(tmp_path: Path) -> None:
    had = epochs(tmp_path, 12)
    assert had[0] == BASE.epochs, "the first trial is run to its end"
    assert set(had) == {1, 3, 5}
    assert 1 <= sum(count == 5 for count in had[1:]) < sum(count >= 3 for count in had[1:]) <= 6
    study = load_study(tmp_path / "tiny")
    assert [trial.state for trial in study.trials] == ["complete" if count == 5 else "pruned" for count in had]
    for trial, count in zip(study.trials, had, strict=True):
        assert trial.history is not None
        assert len(trial.history) == count
    assert not list((tmp_path / "tiny").glob(CHECKPOINT)), "an ended search keeps none"


def test_a_trial_that_went_on_has_the_record_of_one_that_never_paused(tmp_path: Path) -> None:
    search(tmp_path / "paused", 12, pruner="promote", sampler="random")
    search(tmp_path / "straight", 12, pruner="none", sampler="random")
    paused, straight = (load_study(tmp_path / name / "tiny").complete_trials for name in ("paused", "straight"))
    wanted = {trial.number: trial for trial in straight}
    assert len(paused) > 2
    for trial in paused:
        assert trial.record == wanted[trial.number or 0].record
        assert trial.history is not None
        assert trial.history.equals(wanted[trial.number or 0].history)


@pytest.mark.slow
def test_no_more_checkpoints_are_kept_than_stated_and_dropping_them_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []

    def count(event: RunEvent) -> None:
        if isinstance(event, TrialPaused):
            counts.append(len(list((tmp_path / "tiny").glob(CHECKPOINT))))

    usual = outcome(search(tmp_path / "usual", 12, pruner="promote"))
    made = PromotingSearch.__init__
    for kept in (0, 2):
        counts.clear()
        monkeypatch.setattr(PromotingSearch, "__init__", lambda *a, kept=kept, **k: made(*a, kept=kept, **k))
        worker = StandInWorker(random_dataset())
        assert outcome(search(tmp_path, 12, pruner="promote", emit=count, worker=worker)) == usual
        assert max(counts) == kept
        once = sum(len(values) for *_, values in usual)
        assert worker.epochs_trained > once if kept == 0 else worker.epochs_trained == once
        for path in sorted((tmp_path / "tiny").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()


@pytest.mark.slow
def test_while_the_search_goes_on_paused_trials_run_in_the_storage(tmp_path: Path) -> None:
    search_killed(tmp_path)
    records = {trial.number: trial.state for trial in load_study(tmp_path / "tiny").trials}
    assert records[5] == "pruned", "whoever reads the folder sees what there is"
    store = search(tmp_path, 12, pruner="promote")
    assert outcome(store) == outcome(search(tmp_path / "whole", 12, pruner="promote"))


def test_a_budget_is_spent_to_the_epoch_and_a_larger_one_goes_on_where_it_ended(tmp_path: Path) -> None:
    def spend(name: str, runs: float) -> list[tuple[Any, ...]]:
        return outcome(search(tmp_path / name, None, pruner="promote", budget=Budget(cost=Cost(runs, "runs"))))

    whole = spend("whole", 6)
    assert sum(len(values) for *_, values in whole) == 6 * BASE.epochs
    parts = [sum(len(values) for *_, values in spend("parts", runs)) for runs in (1.2, 2.8, 4.4)]
    assert parts == [6, 14, 22]
    assert spend("parts", 6) == whole
    assert spend("parts", 6) == whole, "nothing is left to do"


def test_a_budget_does_not_cut_the_first_trial_nor_what_timeout_lets_finish(tmp_path: Path) -> None:
    store = search(tmp_path, None, pruner="promote", budget=Budget(cost=Cost(2, "epochs")))
    assert [(len(t.intermediate_values), t.state) for t in store.trials()] == [(BASE.epochs, TrialState.COMPLETE)]


def test_a_config_that_is_paused_answers_an_equal_one_at_once(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"space": SMALL_SPACE, "sampler": "random", "pruner": "promote"}
    store = search(tmp_path, 16, **settings)
    copies = 0
    for trial in load_study(tmp_path / "tiny").trials:
        if trial.duplicate_of is None:
            continue
        copies += 1
        assert (trial.folder / "history.csv").exists()
        assert not (trial.folder / "attempts.json").exists()
    originals = {json.dumps(t.params, sort_keys=True) for t in store.trials() if "duplicate_of" not in t.user_attrs}
    assert len(originals) == 16 - copies
    assert copies > 5
    search(tmp_path / "parts", 7, **settings)
    assert outcome(search(tmp_path / "parts", 16, **settings)) == outcome(store)


@pytest.mark.slow
def test_a_grid_may_be_promoted_and_tries_every_cell(tmp_path: Path) -> None:
    store = search(tmp_path, None, space=SMALL_SPACE, sampler="grid", pruner="promote")
    assert len({tuple(trial.params.values()) for trial in store.trials()}) == 6
    assert {trial.state for trial in store.trials()} == {TrialState.COMPLETE, TrialState.PRUNED}


def test_a_trial_that_fails_after_a_pause_is_failed_and_counts_no_more(tmp_path: Path) -> None:
    def diverge(run: Run, epoch: int) -> None:
        if epoch == 1 and not run.folder.name == "0":
            raise DivergedError(epoch=epoch, batch=0, term="bpr")

    store = search(tmp_path, 8, pruner="promote", misbehave=diverge)
    states = [trial.state for trial in store.trials()]
    assert len(states) == 8
    assert TrialState.FAIL in states
    assert {len(t.intermediate_values) for t in store.trials() if t.state != TrialState.COMPLETE} == {1}


def test_a_lost_record_of_a_pause_is_made_again(tmp_path: Path) -> None:
    search_killed(tmp_path)
    for name in ("record.json", "checkpoint.safetensors"):
        (tmp_path / "tiny/trials/4" / name).unlink(missing_ok=True)
    store = search(tmp_path, 12, pruner="promote")
    assert outcome(store) == outcome(search(tmp_path / "whole", 12, pruner="promote"))


def test_without_rungs_below_the_cap_every_trial_goes_to_its_end(tmp_path: Path) -> None:
    assert epochs(tmp_path, 4, promotion=Promotion(rungs=())) == [BASE.epochs] * 4
    assert PROMOTION.rungs[-1] < BASE.epochs

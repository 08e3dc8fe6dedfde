import itertools
import shutil
import statistics
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from sea_core.errors import DivergedError
from sea_core.interrupts import StopRequest
from sea_core.streams import fresh_seeds
from study.records.folder import StudyFolder
from study.records.run import Run
from study.records.seeds import finalist_seeds, trial_seeds
from study.records.study import load_study
from study.running.driver import drive
from study.running.events import Note, RunEvent
from study.running.executors.in_process import InProcessExecutor
from study.searching.repairs import Repairs
from tests.conftest import random_dataset
from tests.study.small_searches import BASE, outcome, search
from tests.study.stand_in import StandInWorker

SETTINGS: dict[str, Any] = {"pruner": "halving", "seeds_per_trial": 4, "base": BASE.override(epochs=2)}
SEEDS = trial_seeds(7, 4)


class KilledError(BaseException):
    """Stands for SIGKILL."""


def records(root: Path) -> list[dict[str, Any]]:
    study = load_study(root / "tiny")
    return [dict(record.record) for record in (*study.trials, *study.trial_seeds)]


def test_a_trials_value_is_the_mean_over_its_seeds_and_each_has_its_record(tmp_path: Path) -> None:
    trials = search(tmp_path, 8, **SETTINGS).trials()
    study, seen = load_study(tmp_path / "tiny"), Counter[int]()
    for trial, record in zip(trials, study.trials, strict=True):
        runs = [run for run in study.trial_seeds if run.number == trial.number]
        assert [run.seed for run in sorted(runs, key=lambda run: SEEDS.index(run.seed or 0))] == SEEDS[: len(runs)]
        values = [
            run.history["recall@20"].max()
            for seed in SEEDS[: len(runs)]
            for run in runs
            if run.seed == seed and run.history is not None
        ]
        assert record.record["trial"]["values"] == values
        assert record.judged_on == SEEDS[: len(runs)]
        assert trial.value == record.value == statistics.fmean(values)
        assert record.record["epochs"] == 2 * len(runs)
        assert trial.intermediate_values == {n: statistics.fmean(values[:n]) for n in range(1, len(runs) + 1)}
        assert trial.state == (TrialState.COMPLETE if len(runs) == 4 else TrialState.PRUNED)
        seen[len(runs)] += 1
    assert len(seen) >= 3, f"successive halving should end trials after 1, 2 and 4 seeds: {seen}"
    assert seen[3] == 0, "between two halvings nothing is pruned"


def test_without_a_pruner_every_trial_has_all_seeds(tmp_path: Path) -> None:
    search(tmp_path, 3, **(SETTINGS | {"pruner": "none"}))
    study = load_study(tmp_path / "tiny")
    assert [(run.number, run.seed) for run in study.trial_seeds] == [(n, s) for n in range(3) for s in sorted(SEEDS)]


@pytest.mark.parametrize("pruner", ["halving", "median", pytest.param("hyperband", marks=pytest.mark.slow)])
def test_kills_during_any_seed_change_nothing(tmp_path: Path, pruner: str) -> None:
    settings = SETTINGS | {"pruner": pruner, "seeds_per_trial": 3}
    whole, kills, epochs = search(tmp_path / "whole", 8, **settings), 0, itertools.count()

    def kill(run: Run, epoch: int) -> None:
        if next(epochs) % 7 == 5:
            raise KilledError

    while True:
        try:
            killed = search(tmp_path / "killed", 8, misbehave=kill, **settings)
            break
        except KilledError:
            kills += 1
    assert kills >= 3
    assert outcome(killed) == outcome(whole)
    assert records(tmp_path / "killed") == records(tmp_path / "whole")


def test_two_halves_equal_a_whole_and_one_seed_is_the_plain_search(tmp_path: Path) -> None:
    whole = search(tmp_path / "whole", 6, **SETTINGS)
    search(tmp_path / "halves", 3, **SETTINGS)
    assert outcome(search(tmp_path / "halves", 6, **SETTINGS)) == outcome(whole)
    assert records(tmp_path / "halves") == records(tmp_path / "whole")
    one = search(tmp_path / "one", 2, seeds_per_trial=1)
    assert not load_study(tmp_path / "one/tiny").trial_seeds
    assert outcome(one) == outcome(search(tmp_path / "plain", 2))


def test_an_equal_config_is_answered_with_all_seeds_and_trains_nothing(tmp_path: Path) -> None:
    worker = StandInWorker(random_dataset())
    settings = SETTINGS | {"space": {"knn_k": {"choices": [3]}}, "sampler": "random", "seeds_per_trial": 2}
    trials = search(tmp_path, 3, worker=worker, **settings).trials()
    study = load_study(tmp_path / "tiny")
    assert [record.duplicate_of for record in study.trials] == [None, 0, 0]
    assert worker.epochs_trained == 2 * 2
    assert len({(trial.value, trial.state) for trial in trials}) == 1
    assert len(study.trial_seeds) == 6
    assert [run.number for run in study.trial_seeds] == [0, 0, 1, 1, 2, 2]


def test_a_seed_that_fails_fails_its_trial_and_the_count_stays_exact(tmp_path: Path) -> None:
    def misbehave(run: Run, epoch: int) -> None:
        if run.seed == SEEDS[1] and run.config.knn_k == 5:
            raise DivergedError(epoch=epoch, batch=0, term="bpr")

    search(tmp_path, 6, misbehave=misbehave, **(SETTINGS | {"pruner": "none"}))
    study = load_study(tmp_path / "tiny")
    assert [(t.state, t.params["knn_k"]) for t in study.trials] == [
        ("failed" if trial.params["knn_k"] == 5 else "complete", trial.params["knn_k"]) for trial in study.trials
    ]
    assert {trial.state for trial in study.trials} == {"failed", "complete"}
    failed = next(trial for trial in study.trials if trial.state == "failed")
    assert failed.failure is not None
    assert failed.failure["kind"] == "diverged"


def test_lost_records_of_seeds_and_trials_are_made_again(tmp_path: Path) -> None:
    store, dataset, folder = search(tmp_path, 5, **SETTINGS), random_dataset(), StudyFolder(tmp_path / "tiny")
    before = records(tmp_path)
    longest = max(load_study(folder.root).trials, key=lambda trial: len(trial.judged_on)).number or 0
    shutil.rmtree(folder.trial_seed(longest, SEEDS[1]))
    (folder.trial(1) / "record.json").unlink()
    for expected in (2, 0):
        heard: list[RunEvent] = []
        repairs = Repairs(
            folder, store.trials(), base=SETTINGS["base"], seeds=SEEDS, dataset=dataset, emit=heard.append
        )
        assert sum("has no readable record" in event.line for event in heard if isinstance(event, Note)) == expected
        drive(repairs, InProcessExecutor(StandInWorker(dataset)), emit=heard.append, stop=StopRequest())
    assert records(tmp_path) == before


def test_no_seed_serves_twice() -> None:
    for seed in (0, 1, 999):
        serving = [*trial_seeds(seed, 64), *finalist_seeds(seed, 64), *fresh_seeds(seed, 64)]
        assert len(set(serving)) == 3 * 64
        assert trial_seeds(seed, 3) == trial_seeds(seed, 64)[:3]
        assert trial_seeds(seed, 1) == [seed]

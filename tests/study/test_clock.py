"""The clock on the wall may leap or run backwards; what must happen in time is measured by one that cannot."""

import time
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from sea_core.config import Config
from sea_core.training import loop
from sea_core.training.run import TrainingRun
from study.listeners import display
from study.records.run import Run
from study.running.worker import TrialWorker
from study.verification import status_report
from tests.conftest import random_dataset
from tests.study.small_searches import outcome, search

SMALL = Config(
    latent_dim=4,
    item_mlp_hidden=6,
    align_hidden=4,
    align_out=4,
    distance_dim=4,
    club_steps=1,
    batch_size=256,
    epochs=12,
)


class Clocks:
    """A steady clock that gains ``step`` seconds at each look, and a wall clock that leaps to and fro by years."""

    def __init__(self, step: float) -> None:
        self._step, self._steady, self._looks = step, 1000.0, 0

    def monotonic(self) -> float:
        self._steady += self._step
        return self._steady

    def time(self) -> float:
        self._looks += 1
        return 1e9 * (2 + (-1) ** self._looks) - 3600 * self._looks

    def module(self) -> SimpleNamespace:
        return SimpleNamespace(monotonic=self.monotonic, time=self.time, perf_counter=time.perf_counter)


@pytest.mark.usefixtures("cache_folder")
def test_checkpoints_come_every_thirty_seconds_whatever_the_wall_clock_says(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = Clocks(step=10.0)  # the worker looks once an epoch, and once more when it keeps a checkpoint
    monkeypatch.setattr("study.running.worker.time", clocks.module())
    monkeypatch.setattr(time, "time", clocks.time)
    worker = TrialWorker(random_dataset())
    worker.start(Run(SMALL, 1), None)
    kept = [worker.advance().checkpoint is not None for _ in range(SMALL.epochs)]
    assert kept == [False, False, True] * 3 + [False, False, False], "not after the last epoch"


@pytest.mark.usefixtures("cache_folder")
def test_a_single_training_keeps_the_same_pace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "time", Clocks(step=10.0).module())
    saved: list[int] = []
    monkeypatch.setattr(loop, "save_checkpoint", lambda run, path: saved.append(len(run.reports)))
    loop.train_to_end(lambda: TrainingRun(SMALL, random_dataset(), seed=1), checkpoint=tmp_path / "c")
    assert saved == [3, 6, 9, 12]


def test_the_remaining_time_is_extrapolated_from_the_steady_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = Clocks(step=60.0)
    monkeypatch.setattr(display, "time", clocks.module())
    stage = display._StageClock("search", total=10, done=4)
    stage.done = 6  # two runs in a minute: four more take two
    assert "2 min" in stage.remaining()


def test_a_study_under_a_mad_wall_clock_equals_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calm = search(tmp_path / "calm", 6)
    monkeypatch.setattr(time, "time", Clocks(step=1.0).time)
    assert outcome(search(tmp_path / "mad", 3)) == outcome(calm)[:3]
    assert outcome(search(tmp_path / "mad", 6)) == outcome(calm)


def test_a_trial_that_began_in_the_future_has_run_for_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = SimpleNamespace(last_step=None, datetime_start=datetime.now() + timedelta(hours=3), intermediate_values={})
    shown = status_report._progress(begun, {"config": {"epochs": 5}})
    assert "for 0 s" in shown
    assert "-" not in shown

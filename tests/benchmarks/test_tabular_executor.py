"""The table answers the driver as training would."""

import json

import numpy as np
import pytest

from benchmarks.curve_plan import configuration
from benchmarks.curve_surrogate import CurveSurrogate, epochs_run
from benchmarks.tabular_executor import TabularExecutor
from sea_core.config import Config
from study.records.run import Run
from study.running.executors.base import Progress
from tests.benchmarks.planted_curves import MOST_EPOCHS, SPACE, STOPPING_STEP, planted_curves

CONFIG = Config(**configuration(7, SPACE), epochs=MOST_EPOCHS, stopping_step=STOPPING_STEP)


@pytest.fixture(scope="module")
def surrogate() -> CurveSurrogate:
    return CurveSurrogate(planted_curves(40), SPACE, most_epochs=MOST_EPOCHS)


def train(executor: TabularExecutor, run: Run, checkpoint: bytes | None = None) -> dict[str, bytes]:
    executor.start("run", run, checkpoint)
    while not executor.next()[1].finished:
        executor.advance("run")
    return dict(executor.collect("run"))


def test_a_start_trains_nothing_and_every_advance_one_epoch(surrogate: CurveSurrogate):
    executor = TabularExecutor(surrogate, world=0)
    executor.start("a", Run(CONFIG, 3), None)
    assert executor.next() == ("a", Progress())
    for epoch in range(3):
        executor.advance("a")
        key, progress = executor.next()
        assert key == "a"
        assert [report.epoch for report in progress.reports] == [epoch]
    assert executor.epochs_spent == 3


def test_a_record_tells_the_curve_up_to_early_stopping(surrogate: CurveSurrogate):
    files = train(TabularExecutor(surrogate, world=1), Run(CONFIG, 3))
    curve = surrogate.curve(configuration(7, SPACE), seed=3, world=1)
    epochs = epochs_run(curve, STOPPING_STEP)
    record = json.loads(files["record.json"])
    assert record["epochs"] == epochs
    assert record["best_epoch"] == int(np.argmax(curve[:epochs]))
    assert record["validation"] == {"recall@20": curve[:epochs].max()}
    assert len(files["history.csv"].splitlines()) == epochs + 1


def test_a_run_ends_equal_wherever_it_was_put_aside_and_no_epoch_counts_twice(surrogate: CurveSurrogate):
    whole, parked = TabularExecutor(surrogate, world=1), TabularExecutor(surrogate, world=1)
    expected = train(whole, Run(CONFIG, 3))
    parked.start("run", Run(CONFIG, 3), None)
    parked.next()
    for _ in range(4):
        parked.advance("run")
        parked.next()
    state = parked.park("run")
    assert train(parked, Run(CONFIG, 3), state) == expected
    assert parked.epochs_spent == whole.epochs_spent


def test_a_cap_ends_a_run_and_changes_no_epoch_before_it(surrogate: CurveSurrogate):
    short = train(TabularExecutor(surrogate, world=1), Run(CONFIG.override(epochs=5), 3))
    long = train(TabularExecutor(surrogate, world=1), Run(CONFIG.override(epochs=10**6), 3))
    assert json.loads(short["record.json"])["epochs"] == 5
    assert long["history.csv"].startswith(short["history.csv"])


def test_a_broken_checkpoint_is_noted(surrogate: CurveSurrogate):
    executor = TabularExecutor(surrogate, world=0)
    executor.start("a", Run(CONFIG, 3), b"no checkpoint")
    note = executor.next()[1].note
    assert note is not None
    assert note.startswith("starting anew: ")

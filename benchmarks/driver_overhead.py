"""What the driver costs a trial beside its training: asking, records, database, telling. Milliseconds.

A worker that does nothing takes the place of training, everything else is real. Trials of few and of many epochs tell
what a report costs (the slope) and what a trial costs beside its reports (the intercept); studies of several lengths
tell whether that grows.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import optuna

from sea_core.cache import scratch_folder
from sea_core.config import Config
from sea_core.data.catalogue import load_dataset
from sea_core.data.dataset import Dataset
from sea_core.interrupts import StopRequest
from sea_core.run_folder import RunFiles
from sea_core.training.run import EpochReport
from study.records.folder import StudyFolder
from study.records.run import Run
from study.running.driver import drive
from study.running.events import RunEvent, TrialEnded
from study.running.executors.base import Progress
from study.running.executors.in_process import InProcessExecutor
from study.running.worker import TrialWorker
from study.searching.budget import Budget
from study.searching.make import make_search
from study.searching.pruners import make_pruner
from study.searching.samplers import make_sampler
from study.searching.space import load_space
from study.searching.storage import open_storage
from study.searching.trial_store import TrialStore

SEED = 999
REPORTS = (2, 5, 10, 20)  # epochs of a trial
LENGTHS = (30, 300, 1000)  # trials of a study


class Costs(NamedTuple):
    """Milliseconds of each trial, in order."""

    wall: list[float]
    processor: list[float]


class IdleWorker(TrialWorker):
    """Reports made-up values at once."""

    def __init__(self, dataset: Dataset) -> None:
        super().__init__(dataset)
        self._epoch = 0

    def start(self, run: Run, checkpoint: bytes | None) -> Progress:
        """Begin at epoch 0."""
        self._run, self._epoch = run, 0
        return Progress()

    def advance(self) -> Progress:
        """An epoch that takes no time, a little better than the one before."""
        assert self._run is not None
        value = 0.1 + 0.01 * self._run.config.split_ratio + 1e-4 * self._epoch
        report = EpochReport(self._epoch, {"total": 1.0}, {"recall@20": value}, True, 0.0)
        self._epoch += 1
        return Progress(reports=(report,), finished=self._epoch == self._run.config.epochs)

    def collect(self) -> RunFiles:
        """A record of the usual keys, without arrays."""
        assert self._run is not None
        record: dict[str, Any] = {
            "schema_version": 1,
            "config": self._run.config.as_dict(),
            "config_hash": self._run.config.hash(),
            "seed": self._run.seed,
            "dataset": self._dataset.name,
            "data_hash": self._dataset.data_hash,
            "split_hash": self._dataset.split_hash,
            "best_epoch": self._epoch - 1,
            "epochs": self._epoch,
            "seconds": 0.0,
            "validation": {"recall@20": 0.1},
        }
        history = "epoch,recall@20\n" + "".join(f"{epoch},0.1\n" for epoch in range(self._epoch))
        return {"record.json": json.dumps(record).encode(), "history.csv": history.encode()}

    def park(self) -> bytes | None:
        """Nothing to keep."""
        return None

    def discard(self) -> None:
        """Nothing to free."""


def run_study(trials: int, *, epochs: int, pruner: str = "none") -> Costs:
    """What each trial of a study cost; default space and sampler, SQLite and records on disk."""
    dataset, space, base = load_dataset("synthetic"), load_space("default"), Config(epochs=epochs)
    wall, processor = [time.perf_counter()], [time.process_time()]

    def clock(event: RunEvent) -> None:
        if isinstance(event, TrialEnded):
            wall.append(time.perf_counter())
            processor.append(time.process_time())

    with scratch_folder() as scratch:
        folder = StudyFolder(Path(scratch) / "study")
        folder.root.mkdir()
        store = TrialStore(
            open_storage(f"sqlite:///{folder.database.resolve()}"),
            folder.name,
            space,
            make_sampler=lambda number: make_sampler("tpe", space, seed=SEED, number=number),
            pruner=make_pruner(pruner, epochs=epochs),
        )
        source = make_search(
            folder,
            store,
            seeds=[SEED],
            base=base,
            space=space,
            enumerate_grid=False,
            dataset=dataset,
            budget=Budget(trials),
            emit=clock,
        )
        wall[0], processor[0] = time.perf_counter(), time.process_time()
        drive(source, InProcessExecutor(IdleWorker(dataset)), emit=clock, stop=StopRequest())
    return Costs(list(np.diff(wall) * 1000), list(np.diff(processor) * 1000))


def fit(trials: int, reports: Sequence[int] = REPORTS) -> dict[str, float]:
    """Milliseconds of a trial beside its reports, and of a report: a line through the medians over trials."""
    measured = [run_study(trials, epochs=each) for each in reports]
    numbers: dict[str, float] = {}
    for clock in Costs._fields:
        slope, intercept = np.polyfit(reports, [statistics.median(getattr(each, clock)) for each in measured], 1)
        numbers |= {f"trial_{clock}_ms": float(intercept), f"report_{clock}_ms": float(slope)}
    return numbers


def main() -> int:
    """Print the costs, then one JSON line."""
    parser = argparse.ArgumentParser(prog="benchmarks/driver_overhead.py", description=__doc__.splitlines()[0])
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS, help="trials of the long studies")
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    run_study(3, epochs=2)  # the first imports and compiles
    numbers = fit(40)
    print("milliseconds                            wall   processor")
    for name, label in (("trial", "a trial beside its reports"), ("report", "a report")):
        print(f"{label:34}{numbers[f'{name}_wall_ms']:10.1f}{numbers[f'{name}_processor_ms']:12.1f}")
    for length in arguments.lengths:
        last = [statistics.median(each[-20:]) for each in run_study(length, epochs=5)]
        numbers |= {f"last_of_{length}_{clock}_ms": each for clock, each in zip(Costs._fields, last, strict=True)}
        print(f"{f'trial {length}, with 5 reports':34}{last[0]:10.1f}{last[1]:12.1f}")
    for pruner in ("median", "hyperband"):
        middle = [statistics.median(each) for each in run_study(100, epochs=5, pruner=pruner)]
        print(f"{f'the same with the {pruner} pruner':34}{middle[0]:10.1f}{middle[1]:12.1f}")
    print(json.dumps({name: round(value, 1) for name, value in numbers.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())

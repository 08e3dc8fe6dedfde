"""The driver: gives runs to an executor, hears their epochs, keeps checkpoints and attempts, and hands results back.

Both a search (``search.py``) and a list of fixed runs (``fixed_runs.py``) are a ``RunSource``. All writing happens
here and in the source, in one process; executors only train. Killed anywhere, the same source and folders go on where
they stood.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.files import write_atomically, write_json
from sea_core.interrupts import StopRequest
from sea_core.run_folder import RECORD, SCHEMA_VERSION, RunFiles
from sea_core.training.loop import Stopped
from sea_core.training.run import EpochReport
from study.records.folder import now
from study.records.run import Run
from study.running.attempts import Attempts
from study.running.events import Emit, EpochEnded, HowItEnded, RunBegun, SlotFreed
from study.running.executors.base import Executor, Failure, Progress

CHECKPOINT, ATTEMPTS, LOG = "checkpoint.safetensors", "attempts.json", "log.txt"


class Then(enum.Enum):
    """What becomes of a run after an epoch: it goes on, ends here for good, or makes room and keeps its state."""

    GO_ON = enum.auto()
    END = enum.auto()
    PAUSE = enum.auto()


class RunSource(Protocol):
    """Where runs come from and where results go. Each run ends in one ``finish``, ``fail`` or ``pause``."""

    def next(self) -> Run | None:
        """Another run to start, or None if there is none."""

    def report(self, run: Run, report: EpochReport) -> Then:
        """Hear an epoch, perhaps again after a restart, and say what then."""

    def finish(self, run: Run, files: RunFiles, *, pruned: bool, attempts: int) -> None:
        """Keep a result."""

    def fail(self, run: Run, failure: Failure, *, attempts: int) -> None:
        """Keep a failure."""

    def pause(self, run: Run, files: RunFiles, *, attempts: int) -> None:
        """Keep what a run has led to so far; its checkpoint lies in its folder, and ``next`` may give it again."""


def drive(source: RunSource, executor: Executor, *, emit: Emit, stop: StopRequest) -> None:
    """Train runs until the source has none left.

    Raises:
        Stopped: someone asked to stop; every run that was going on has a checkpoint.
    """
    driver = _Driver(source, executor, emit)
    while True:
        while len(driver.active) < executor.slots and not stop.asked and (run := source.next()) is not None:
            driver.begin(run)
        if driver.active:
            driver.hear(*executor.next(), stopping=stop.asked)
        elif stop.asked:
            raise Stopped
        else:
            return


def write_run_files(folder: Path, files: RunFiles, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Write a run folder that came as bytes, with keys of our own in ``record.json``, which is written last."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if name != RECORD:
            write_atomically(folder / name, content)
    record = {**json.loads(files[RECORD]), **extra}
    write_json(folder / RECORD, record)
    return record


def write_failed_run(run: Run, dataset: Dataset, failure: Failure, extra: Mapping[str, Any]) -> None:
    """Write the record of a run without a result; ``extra`` may have a ``trial``, which the failure is added to."""
    config, why = run.config, {"kind": failure.kind, "message": failure.message}
    record = {
        "schema_version": SCHEMA_VERSION,
        "config": config.as_dict(),
        "config_hash": config.hash(),
        "seed": run.seed,
        "dataset": dataset.name,
        "data_hash": dataset.data_hash,
        "split_hash": dataset.split_hash,
        **dataset.split_record,
        **extra,
        "trial": {**extra.get("trial", {}), "state": "failed", "failure": why},
    }
    write_json(run.folder / RECORD, record)


def clear_leftovers(folder: Path) -> None:
    """Remove what only an unfinished run needs."""
    for name in (CHECKPOINT, ATTEMPTS):
        (folder / name).unlink(missing_ok=True)


@dataclass
class _Active:
    """A run that occupies a slot; ``starting`` until the executor has said that it is built."""

    run: Run
    attempts: Attempts
    shown: Config  # a copy: listeners may do with it what they like
    starting: bool = True


class _Driver:
    def __init__(self, source: RunSource, executor: Executor, emit: Emit) -> None:
        self.active: dict[str, _Active] = {}
        self._source, self._executor, self._emit = source, executor, emit

    def begin(self, run: Run) -> None:
        """Give a new run a slot."""
        run.folder.mkdir(parents=True, exist_ok=True)
        entry = _Active(run, Attempts.read(run.folder / ATTEMPTS), run.config.override())
        self.active[run.key] = entry
        self._emit(RunBegun(run.key, run.label, entry.shown, run.seed))
        self._start(entry)

    def hear(self, key: str, progress: Progress, *, stopping: bool) -> None:
        """Act on what a run says: keep it, end it, send it on, or put it aside."""
        entry = self.active[key]
        if progress.failure is not None:
            self._failed(entry, progress.failure)
            return
        if progress.note is not None:
            _log(entry.run, progress.note)
        if not entry.starting:
            entry.attempts.epoch_finished(progress.reports[-1].epoch)
        entry.starting = False
        then = [self._report(entry, report) for report in progress.reports]
        if progress.checkpoint is not None:
            write_atomically(entry.run.folder / CHECKPOINT, progress.checkpoint)
        if progress.finished or Then.END in then:
            self._finish(entry, pruned=Then.END in then)
        elif Then.PAUSE in then:
            self._pause(entry)
        elif stopping:
            self._park(entry)
        else:
            self._executor.advance(key)

    def _start(self, entry: _Active) -> None:
        if (failure := entry.attempts.exhausted) is not None:
            self._give_up(entry, failure)
            return
        entry.attempts.begin()
        entry.starting = True
        path = entry.run.folder / CHECKPOINT
        checkpoint = path.read_bytes() if path.exists() else None
        _log(entry.run, "started" if checkpoint is None else "continued from a checkpoint")
        self._executor.start(entry.run.key, entry.run, checkpoint)

    def _report(self, entry: _Active, report: EpochReport) -> Then:
        self._emit(EpochEnded(entry.run.key, entry.run.label, entry.shown, _sealed(report)))
        return self._source.report(entry.run, report)

    def _finish(self, entry: _Active, *, pruned: bool) -> None:
        files = self._executor.collect(entry.run.key)
        if isinstance(files, Failure):
            self._failed(entry, files)
            return
        _log(entry.run, "pruned" if pruned else "complete")
        self._source.finish(entry.run, files, pruned=pruned, attempts=entry.attempts.count)
        self._forget(entry, "pruned" if pruned else "complete")

    def _pause(self, entry: _Active) -> None:
        kept = self._executor.pause(entry.run.key)
        if isinstance(kept, Failure):
            self._failed(entry, kept)
            return
        write_atomically(entry.run.folder / CHECKPOINT, kept.state)
        _log(entry.run, "paused")
        self._source.pause(entry.run, kept.files, attempts=entry.attempts.count)
        self._drop(entry, "put aside")

    def _failed(self, entry: _Active, failure: Failure) -> None:
        self._executor.discard(entry.run.key)
        _log(entry.run, f"{failure.kind}: {failure.message}\n{failure.detail}".rstrip())
        if entry.attempts.may_retry(failure):
            self._start(entry)
        else:
            self._give_up(entry, failure)

    def _give_up(self, entry: _Active, failure: Failure) -> None:
        _log(entry.run, f"failed: {failure.kind}")
        self._source.fail(entry.run, failure, attempts=max(1, len(entry.attempts.failures)))
        self._forget(entry, "failed")

    def _park(self, entry: _Active) -> None:
        state = self._executor.park(entry.run.key)
        if state is not None:
            write_atomically(entry.run.folder / CHECKPOINT, state)
        _log(entry.run, "put aside with a checkpoint; the same command continues it")
        self._drop(entry, "put aside")

    def _forget(self, entry: _Active, how: HowItEnded) -> None:
        clear_leftovers(entry.run.folder)
        self._drop(entry, how)

    def _drop(self, entry: _Active, how: HowItEnded) -> None:
        del self.active[entry.run.key]
        self._emit(SlotFreed(entry.run.key, how))


def _sealed(report: EpochReport) -> EpochReport:
    """The report with maps that nobody can write: a worker in this process goes on using them."""
    return report._replace(losses=MappingProxyType(report.losses), validation=MappingProxyType(report.validation))


def _log(run: Run, line: str) -> None:
    with (run.folder / LOG).open("a", encoding="utf-8") as file:
        file.write(f"{now()} {line}\n")

"""The simplest executor: one run at a time, in the driver's own process."""

from __future__ import annotations

from collections.abc import Callable

from sea_core.run_folder import RunFiles
from study.records.run import Run
from study.running.executors.base import Failure, Paused, Progress
from study.running.worker import TrialWorker


class InProcessExecutor:
    """Trains inside ``next``, so a signal is handled between two epochs at the latest."""

    slots = 1

    def __init__(self, worker: TrialWorker) -> None:
        self._worker = worker
        self._owed: tuple[str, Callable[[], Progress]] | None = None

    def start(self, key: str, run: Run, checkpoint: bytes | None) -> None:
        """See ``Executor``."""
        self._owed = (key, lambda: self._worker.start(run, checkpoint))

    def advance(self, key: str) -> None:
        """See ``Executor``."""
        self._owed = (key, self._worker.advance)

    def next(self) -> tuple[str, Progress]:
        """See ``Executor``."""
        assert self._owed is not None, "next() without start() or advance()"
        key, work = self._owed
        self._owed = None
        return key, work()

    def collect(self, key: str) -> RunFiles | Failure:
        """See ``Executor``."""
        return self._worker.collect()

    def pause(self, key: str) -> Paused | Failure:
        """See ``Executor``."""
        return self._worker.pause()

    def park(self, key: str) -> bytes | None:
        """See ``Executor``."""
        return self._worker.park()

    def discard(self, key: str) -> None:
        """See ``Executor``."""
        self._worker.discard()

    def close(self) -> None:
        """See ``Executor``."""
        self._worker.discard()

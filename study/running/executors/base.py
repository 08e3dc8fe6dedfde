"""The contract between the driver, which decides and writes, and executors, which only train.

A run occupies a slot from ``start`` until ``collect``, ``pause``, ``park`` or ``discard``. After ``start`` and after
every ``advance`` the executor owes one ``Progress``, which ``next`` hands out. The driver prunes by not calling
``advance`` again. Nothing here needs a shared file system: checkpoints and records travel as bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from sea_core.run_folder import RunFiles
from sea_core.training.run import EpochReport
from study.records.run import Run

FailureKind = Literal["diverged", "out-of-memory", "lost", "error"]


@dataclass(frozen=True)
class Failure:
    """Why a run has no result.

    Attributes:
        kind: what happened.
        message: one line for the record.
        detail: the traceback, for the trial's log.
        retry: whether another attempt could end differently.
    """

    kind: FailureKind
    message: str
    detail: str = ""
    retry: bool = False


@dataclass(frozen=True)
class Progress:
    """What a worker says after a start or an epoch.

    Attributes:
        reports: the new epoch; after a start from a checkpoint, all epochs it holds.
        finished: no epoch is left to train.
        checkpoint: the run's state, when one was due.
        note: something the log should hold, such as a checkpoint that could not be used.
        failure: the run failed; nothing else is set.
    """

    reports: tuple[EpochReport, ...] = ()
    finished: bool = False
    checkpoint: bytes | None = None
    note: str | None = None
    failure: Failure | None = None


class Paused(NamedTuple):
    """A run that makes room for others: its record so far as files, and the state it goes on from."""

    files: RunFiles
    state: bytes


class Executor(Protocol):
    """Trains up to ``slots`` runs at a time."""

    slots: int

    def start(self, key: str, run: Run, checkpoint: bytes | None) -> None:
        """Occupy a slot with a run, built anew or from a checkpoint; no epoch is trained yet."""

    def advance(self, key: str) -> None:
        """Train one more epoch."""

    def next(self) -> tuple[str, Progress]:
        """Wait for the first run that has something to say."""

    def collect(self, key: str) -> RunFiles | Failure:
        """The run's record as files, with ``record.json`` among them; frees the slot."""

    def pause(self, key: str) -> Paused | Failure:
        """The run's record so far and its state; frees the slot."""

    def park(self, key: str) -> bytes | None:
        """The run's state, None if it cannot be had; frees the slot."""

    def discard(self, key: str) -> None:
        """Free the slot of a run that failed."""

    def close(self) -> None:
        """Free everything."""

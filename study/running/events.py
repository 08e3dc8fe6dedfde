"""What happens in a study, as typed events: the driver, the sources of runs and the programs emit them.

An event is a fact and cannot be changed. Whoever hears it (``study/listeners``) shows it, tracks it or passes it on,
and has no say in what happens next. ``str(event)`` is one line for people.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sea_core.config import Config
from sea_core.training.loop import Stopped
from sea_core.training.run import EpochReport

HowItEnded = Literal["complete", "pruned", "failed", "put aside"]


@dataclass(frozen=True)
class StudyBegun:
    """A study, or an ablation, begins or goes on.

    Attributes:
        name: of the study.
        folder: where it lies.
        dataset: name of its data.
        config: what all its runs share, unless the search or an arm changes it.
    """

    name: str
    folder: Path
    dataset: str
    config: Mapping[str, Any]


@dataclass(frozen=True)
class StageBegun:
    """A part of the study begins.

    Attributes:
        title: a few words.
        total: runs, tables or figures it consists of; None if nobody can say.
        done: of them, those that were done before.
    """

    title: str
    total: int | None = None
    done: int = 0

    def __str__(self) -> str:
        return self.title


@dataclass(frozen=True)
class RunBegun:
    """A run takes a slot, from its first epoch or from a checkpoint.

    Attributes:
        key: unique within the study, and the same if the run is continued.
        label: what people call it: ``trial 3, seed 1/2``.
    """

    key: str
    label: str
    config: Config
    seed: int


@dataclass(frozen=True)
class EpochEnded:
    """A run has trained an epoch; after a restart, epochs come again, equal."""

    key: str
    label: str
    config: Config
    report: EpochReport


@dataclass(frozen=True)
class RunEnded:
    """A run of fixed config and seed (finalist, winner, arm) has its result.

    Attributes:
        validation: mean metrics at the best epoch; empty if it failed.
        test: mean metrics on the test split, where it was opened.
        failure: why there is no result.
        note: more for people, such as where the result was taken from.
    """

    key: str
    label: str
    metric: str
    validation: Mapping[str, float]
    test: Mapping[str, float]
    failure: str | None = None
    note: str = ""

    def __str__(self) -> str:
        if self.failure is not None:
            return f"{self.label} failed: {self.failure}"
        parts = [self.note] if self.note else []
        parts += [f"validation {self.metric} {self.validation[self.metric]:.4f}"] if self.validation else []
        parts += [f"test {self.metric} {self.test[self.metric]:.4f}"] if self.metric in self.test else []
        return f"{self.label}: {', '.join(parts)}"


@dataclass(frozen=True)
class TrialEnded:
    """A trial of a search has its answer.

    Attributes:
        key: of the run that stands for it.
        number: of the trial.
        state: ``complete``, ``pruned`` or ``failed``.
        value: what the search compares; None if it failed.
        params: the searched parameters.
        duplicate_of: the trial of equal config whose answer this is.
        failure: why there is no value.
        standing: the search so far: ``best 0.1234 (trial 7), 3 pruned``.
    """

    key: str
    number: int
    state: str
    value: float | None
    params: Mapping[str, Any]
    duplicate_of: int | None = None
    failure: str | None = None
    standing: str = ""

    def __str__(self) -> str:
        shown = "" if self.value is None else f" {self.value:.4f}"
        equal = "" if self.duplicate_of is None else f", equal to trial {self.duplicate_of}"
        why = "" if self.failure is None else f": {self.failure}"
        return f"trial {self.number} {self.state}{shown}{equal}{why}"


@dataclass(frozen=True)
class TrialPaused:
    """A trial of a search makes room for others, and may go on later.

    Attributes:
        key: of the run that stands for it.
        number: of the trial.
        epochs: that it has had.
        value: after the last of them.
        standing: the search so far: ``20 % of 20 whole runs spent``.
    """

    key: str
    number: int
    epochs: int
    value: float
    standing: str = ""

    def __str__(self) -> str:
        return f"trial {self.number} paused after {self.epochs} epochs at {self.value:.4f}"


@dataclass(frozen=True)
class SlotFreed:
    """A run has left its slot: its result is kept, it failed for good, or it was put aside with a checkpoint."""

    key: str
    how: HowItEnded


@dataclass(frozen=True)
class TableWritten:
    """A table is on disk.

    Attributes:
        name: stem of its files.
        path: of the CSV, at full precision.
    """

    name: str
    caption: str
    path: Path


@dataclass(frozen=True)
class Note:
    """A line for people that is about no run."""

    line: str

    def __str__(self) -> str:
        return self.line


@dataclass(frozen=True)
class StudyEnded:
    """The study is over, for now.

    Attributes:
        how: ``finished``; ``stopped`` by the user, to be continued; or ``failed`` with an error.
    """

    name: str
    folder: Path
    how: Literal["finished", "stopped", "failed"]


RunEvent = (
    StudyBegun
    | StageBegun
    | RunBegun
    | EpochEnded
    | RunEnded
    | TrialEnded
    | TrialPaused
    | SlotFreed
    | TableWritten
    | Note
    | StudyEnded
)
Emit = Callable[[RunEvent], None]


def silent(event: RunEvent) -> None:
    """Tell nobody: the ``Emit`` of whoever wants no listener."""


@contextlib.contextmanager
def announced(begun: StudyBegun, emit: Emit) -> Iterator[None]:
    """Emit that a study begins and, however the block ends, that it is over."""

    def over(how: Literal["finished", "stopped", "failed"]) -> None:
        emit(StudyEnded(begun.name, begun.folder, how))

    emit(begun)
    try:
        yield
    except (Stopped, KeyboardInterrupt):
        over("stopped")
        raise
    except BaseException:
        over("failed")
        raise
    over("finished")

"""What all trackers share: from a study's events to runs with a config, curves and results."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from study.running.events import (
    EpochEnded,
    RunBegun,
    RunEnded,
    RunEvent,
    SlotFreed,
    StudyBegun,
    StudyEnded,
    TableWritten,
    TrialEnded,
)

Handle = TypeVar("Handle")  # of an open run: what the tracker's library gave


@dataclass(frozen=True)
class TrackedRun:
    """A run as trackers know it.

    Attributes:
        study: it belongs to.
        key: its folder within the study's, ``trials/3``: the same when the run is continued.
        name: for people, ``trial 3``.
        facts: config and seed, or the searched parameters of a trial that needed no training of its own.
    """

    study: StudyBegun
    key: str
    name: str
    facts: Mapping[str, Any] = field(repr=False)


class Tracker(ABC, Generic[Handle]):
    """A listener that keeps curves somewhere; a new tracker says how a run begins, what is logged, and how it ends."""

    def __init__(self) -> None:
        self._studies: list[StudyBegun] = []  # a re-tuned arm's search is a study within an ablation
        self._open: dict[str, Handle] = {}
        self._next_epoch: dict[str, int] = {}

    @abstractmethod
    def begin_study(self, study: StudyBegun) -> None:
        """A study begins or goes on."""

    @abstractmethod
    def begin_run(self, run: TrackedRun) -> tuple[Handle, int]:
        """Open a run, new or continued.

        Returns:
            What the other methods take, and how many epochs of the run are there already.
        """

    @abstractmethod
    def log(self, handle: Handle, epoch: int, numbers: Mapping[str, float]) -> None:
        """Keep an epoch's numbers, named ``loss/bpr``, ``validation/recall@20``, ``seconds``."""

    @abstractmethod
    def conclude(self, handle: Handle, results: Mapping[str, float], notes: Mapping[str, str]) -> None:
        """Keep what a run led to: ``test/recall@20``, ``value``; and its state in words."""

    @abstractmethod
    def end_run(self, handle: Handle, how: str) -> None:
        """Close a run that is ``complete``, ``pruned``, ``failed`` or ``put aside``."""

    def keep_table(self, study: StudyBegun, path: Path) -> None:
        """Keep a table's CSV file; by default it stays in the study's folder alone."""

    def end_study(self, study: StudyBegun, how: str) -> None:
        """A study is over."""

    def hear(self, event: RunEvent) -> None:
        """See ``Listener``."""
        match event:
            case StudyBegun():
                self._studies.append(event)
                self.begin_study(event)
            case RunBegun():
                facts = {**event.config.as_dict(), "seed": event.seed}
                handle, self._next_epoch[event.key] = self.begin_run(self._run(event.key, event.label, facts))
                self._open[event.key] = handle
            case EpochEnded() if event.report.epoch >= self._next_epoch[event.key]:
                self._next_epoch[event.key] = event.report.epoch + 1
                self.log(self._open[event.key], event.report.epoch, _numbers(event))
            case RunEnded() if event.key in self._open:
                results = {f"validation/{name}": value for name, value in event.validation.items()}
                results |= {f"test/{name}": value for name, value in event.test.items()}
                self.conclude(self._open[event.key], results, _words(failure=event.failure))
            case TrialEnded():
                self._conclude_trial(event)
            case SlotFreed() if event.key in self._open:
                self.end_run(self._open.pop(event.key), event.how)
            case TableWritten():
                self.keep_table(self._studies[-1], event.path)
            case StudyEnded():
                self.end_study(self._studies.pop(), event.how)
            case _:
                pass

    def close(self) -> None:
        """See ``Listener``: runs that the study left open were interrupted."""
        for key in list(self._open):
            self.end_run(self._open.pop(key), "put aside")

    def _conclude_trial(self, event: TrialEnded) -> None:
        results = {} if event.value is None else {"value": event.value}
        duplicate = None if event.duplicate_of is None else f"trial {event.duplicate_of}"
        notes = _words(state=event.state, failure=event.failure, duplicate_of=duplicate)
        if event.key in self._open:
            self.conclude(self._open[event.key], results, notes)
            return
        # It was answered from another trial, or its seeds are runs of their own.
        handle, _ = self.begin_run(self._run(event.key, f"trial {event.number}", event.params))
        self.conclude(handle, results, notes)
        self.end_run(handle, event.state)

    def _run(self, key: str, name: str, facts: Mapping[str, Any]) -> TrackedRun:
        study, path = self._studies[-1], Path(key)
        inside = path.relative_to(study.folder) if path.is_relative_to(study.folder) else Path(path.name)
        return TrackedRun(study, inside.as_posix(), name, facts)


def _numbers(event: EpochEnded) -> dict[str, float]:
    losses = {f"loss/{name}": value for name, value in event.report.losses.items()}
    validation = {f"validation/{name}": value for name, value in event.report.validation.items()}
    return {**losses, **validation, "seconds": event.report.seconds}


def _words(**notes: str | None) -> dict[str, str]:
    return {name: text for name, text in notes.items() if text is not None}

"""When a search ends: a number of trials, a moment, or what the trials have cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial

from study.records.durations import duration
from study.searching.cost import Cost


@dataclass(frozen=True)
class Budget:
    """How much to search; whichever is reached first ends it.

    Attributes:
        trials: total number.
        deadline: a moment (``time.monotonic``) after which none begins.
        cost: of all trials, earlier calls' among them. Time is training time, shared by the workers.
        workers: runs at a time.
        whole: epochs of the base configuration trained until it stops, where no trial says that; None = those of the
            first trial. They are part of what is spent.
    """

    trials: int | None = None
    deadline: float | None = None
    cost: Cost | None = None
    workers: int = 1
    whole: int | None = None

    def over(self, trials: Sequence[FrozenTrial], *, begun: int, cap: int) -> str | None:
        """Why no further trial may begin; None if one may.

        The last trial should not go beyond the cost, so one begins only if a whole run is left, one as long as the
        first trial's. What others have spent so far counts, as far as it is known.

        Args:
            trials: of the study, finished and running.
            begun: how many were begun; those that wait in the queue were not.
            cap: the most epochs of a trial; of a first trial that failed, a whole run is assumed to be that long.
        """
        if (why := self.full(begun) or self.late()) is not None:
            return why
        if self.cost is None or begun == 0:
            return None
        first = next((trial for trial in trials if trial.number == 0), None)
        if first is None or not first.state.is_finished():
            return None  # nobody knows yet how long a run is
        if self.whole is not None and self.cost.unit == "runs":
            # What may follow is a trial, which has another cap than the run by which the budget counts.
            trained = self.whole + sum(map(epochs_of, trials))
            return self._beyond(trained, _seed_epochs(first) or cap, whole=self.whole)
        unit, workers = self.cost.unit, self.workers
        spent, whole = (
            (sum(map(seconds_of, trials)) / workers, seconds_of(first) / workers)
            if unit == "seconds"
            else (sum(map(epochs_of, trials)), _seed_epochs(first) or cap)
        )
        return self._beyond(spent, whole, whole=whole)

    def full(self, begun: int) -> str | None:
        """Why no further trial may begin after so many."""
        return f"{self.trials} trials were begun" if self.trials is not None and begun >= self.trials else None

    def late(self) -> str | None:
        """Why it is too late for anything."""
        return "its time is over" if self.deadline is not None and time.monotonic() >= self.deadline else None

    def spent(self, spent: float, whole: float) -> str | None:
        """Why nothing may be trained any further.

        Args:
            spent: epochs of all trials, or seconds shared by the workers if the cost is a time.
            whole: epochs of a whole run.
        """
        if self.cost is None or spent < self._allowed(whole):
            return None
        return f"{self._shown(spent, whole)} of {self.cost} are spent"

    def _beyond(self, spent: float, another: float, *, whole: float) -> str | None:
        if spent + another <= self._allowed(whole):
            return None
        return f"{self._shown(spent, whole)} of {self.cost} are spent, and another run might go beyond"

    def _allowed(self, whole: float) -> float:
        assert self.cost is not None
        return self.cost.amount * whole if self.cost.unit == "runs" else self.cost.amount

    def _shown(self, spent: float, whole: float) -> str:
        assert self.cost is not None
        if self.cost.unit == "seconds":
            return duration(spent)
        return f"{round(spent / whole if self.cost.unit == 'runs' and whole else spent, 1):g}"


def epochs_of(trial: FrozenTrial) -> int:
    """Epochs that a trial has cost; a copy of another one's result cost none."""
    if "duplicate_of" in trial.user_attrs:
        return 0
    # Of several seeds the values are by seed, and of a trial that goes on again the number is an old one.
    return max(len(trial.intermediate_values), int(trial.user_attrs.get("epochs", 0)))


def seconds_of(trial: FrozenTrial) -> float:
    """Training time that a finished trial has cost."""
    return 0.0 if "duplicate_of" in trial.user_attrs else float(trial.user_attrs.get("seconds", 0.0))


def _seed_epochs(trial: FrozenTrial) -> int:
    """Epochs of one of a trial's runs: it may have several seeds."""
    return round(epochs_of(trial) / max(1, int(trial.user_attrs.get("seeds", 1))))

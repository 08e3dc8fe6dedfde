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
    """

    trials: int | None = None
    deadline: float | None = None
    cost: Cost | None = None
    workers: int = 1

    def over(self, trials: Sequence[FrozenTrial], *, begun: int, cap: int) -> str | None:
        """Why no further trial may begin; None if one may.

        The last trial should not go beyond the cost, so one begins only if a whole run is left, one as long as the
        first trial's. What others have spent so far counts, as far as it is known.

        Args:
            trials: of the study, finished and running.
            begun: how many were begun; those that wait in the queue were not.
            cap: the most epochs of a trial; of a first trial that failed, a whole run is assumed to be that long.
        """
        if self.trials is not None and begun >= self.trials:
            return f"{self.trials} trials were begun"
        if self.deadline is not None and time.monotonic() >= self.deadline:
            return "its time is over"
        if self.cost is None or begun == 0:
            return None
        first = next((trial for trial in trials if trial.number == 0), None)
        if first is None or not first.state.is_finished():
            return None  # nobody knows yet how long a run is
        unit, workers = self.cost.unit, self.workers
        spent, whole = (
            (sum(map(seconds_of, trials)) / workers, seconds_of(first) / workers)
            if unit == "seconds"
            else (sum(map(epochs_of, trials)), _seed_epochs(first) or cap)
        )
        allowed = self.cost.amount * whole if unit == "runs" else self.cost.amount
        if spent + whole <= allowed:
            return None
        share = spent / whole if unit == "runs" and whole else spent
        shown = duration(share) if unit == "seconds" else f"{round(share, 1):g}"
        return f"{shown} of {self.cost} are spent, and another run might go beyond"


def epochs_of(trial: FrozenTrial) -> int:
    """Epochs that a trial has cost; a copy of another one's result cost none."""
    if "duplicate_of" in trial.user_attrs:
        return 0
    known = trial.user_attrs.get("epochs")
    return len(trial.intermediate_values) if known is None else int(known)


def seconds_of(trial: FrozenTrial) -> float:
    """Training time that a finished trial has cost."""
    return 0.0 if "duplicate_of" in trial.user_attrs else float(trial.user_attrs.get("seconds", 0.0))


def _seed_epochs(trial: FrozenTrial) -> int:
    """Epochs of one of a trial's runs: it may have several seeds."""
    return round(epochs_of(trial) / max(1, int(trial.user_attrs.get("seeds", 1))))

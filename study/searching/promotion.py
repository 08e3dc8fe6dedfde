"""Pause and promote: from the curves of a search's trials alone, who goes on, whether a new one begins, or neither.

Asynchronous successive halving (Li et al., 2020, "A System for Massively Parallel Hyperparameter Tuning", algorithm 2)
with three changes. Trials pause with their state instead of ending, so one that was passed over is taken up again when
later trials turn out worse. Trials are ranked by the mean of several epochs, because one epoch is mostly luck. The
first trial, by which all others are judged, is never paused. Nothing here trains, writes or draws: the driver and the
simulations of ``benchmarks/`` follow the same decisions, and a search that was interrupted comes to the same ones.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sea_core.errors import UserError

RUNGS = (10, 30)  # chosen by the benchmark: docs/search.md
FACTOR = 3
POINTS = 3
KEPT_CHECKPOINTS = 8  # of paused trials; one that lost its checkpoint is trained again, to the same bits


class Standing(NamedTuple):
    """A trial as far as it has come.

    Attributes:
        number: of the trial.
        curve: its validation values, epoch by epoch; larger is better.
        ended: it was trained until it stopped by itself or at its most epochs.
        going: it is being trained now; if neither, it is paused.
    """

    number: int
    curve: Sequence[float]
    ended: bool = False
    going: bool = False


class TakeUp(NamedTuple):
    """Go on with a paused trial."""

    number: int


Decision = TakeUp | Literal["begin", "end"]


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """The rules.

    Attributes:
        rungs: epochs at which trials pause, in rising order; beyond the last one they go to their end.
        factor: at each rung one in so many goes on.
        points: last epochs before a rung whose mean ranks trials there.
    """

    rungs: tuple[int, ...] = RUNGS
    factor: int = FACTOR
    points: int = POINTS

    def __post_init__(self) -> None:
        if any(rung < 1 for rung in self.rungs) or list(self.rungs) != sorted(set(self.rungs)):
            raise UserError(f"--rungs must be rising numbers of epochs from 1 on, got {' '.join(map(str, self.rungs))}")
        if self.factor < 2 or self.points < 1:
            raise UserError(f"promotion needs a factor >= 2 and points >= 1, got {self.factor} and {self.points}")

    @classmethod
    def from_mapping(cls, content: Mapping[str, Any]) -> Promotion:
        """The rules that ``as_dict`` wrote."""
        return cls(rungs=tuple(content["rungs"]), factor=content["factor"], points=content["points"])

    def as_dict(self) -> dict[str, Any]:
        """The rules in plain values."""
        return {"rungs": list(self.rungs), "factor": self.factor, "points": self.points}

    def share(self, whole: int) -> float:
        """Which part of a whole run's epochs a trial has on average, if one in ``factor`` passes each rung."""
        ends = [*(rung for rung in self.rungs if rung < whole), whole]
        steps = (after - before for before, after in itertools.pairwise([0, *ends]))
        return sum(step / self.factor**passed for passed, step in enumerate(steps)) / whole

    @property
    def starts(self) -> float:
        """How often a trial is started on average, if one in ``factor`` passes each rung."""
        return sum(1 / self.factor**passed for passed in range(len(self.rungs) + 1))

    def pause_after(self, number: int, epochs: int) -> int | None:
        """How many epochs a trial may have in all, if it goes on from so many; None = to its end."""
        if number == 0:
            return None
        return next((rung for rung in self.rungs if rung > epochs), None)

    def decide(self, trials: Sequence[Standing], *, may_begin: bool = True) -> Decision:
        """What comes next.

        First a trial that was paused between two rungs, since it was sent on before; then, at the highest rung that has
        one, the best paused trial that is among the better ``1 / factor`` of all that came so far; else a new one.

        Args:
            trials: all trials but failed ones and copies of others.
            may_begin: whether a new trial may begin.
        """
        waiting = {trial.number: trial for trial in trials if not trial.ended and not trial.going}
        for number in sorted(waiting):
            if len(waiting[number].curve) not in self.rungs:
                return TakeUp(number)
        for rung in reversed(self.rungs):
            ranked = self._ranked(trials, rung)
            for trial in ranked[: len(ranked) // self.factor]:
                if trial.number in waiting and len(trial.curve) == rung:
                    return TakeUp(trial.number)
        return "begin" if may_begin else "end"

    def next_in_line(self, trials: Sequence[Standing]) -> list[int]:
        """Paused trials, the one first that is nearest to being taken up: whose checkpoints are worth their disk."""
        places: dict[int, float] = {}
        for rung in self.rungs:
            ranked = self._ranked(trials, rung)
            for place, trial in enumerate(ranked):
                if len(trial.curve) == rung:
                    places[trial.number] = (place + 1) / len(ranked)
        paused = [trial for trial in trials if not trial.ended and not trial.going]
        return sorted((trial.number for trial in paused), key=lambda number: (places.get(number, 0.0), number))

    def _ranked(self, trials: Sequence[Standing], rung: int) -> list[Standing]:
        """Who came to a rung, or ended before it, best first."""
        there = [trial for trial in trials if len(trial.curve) >= rung or (trial.ended and len(trial.curve) > 0)]
        return sorted(there, key=lambda trial: (-self._score(trial, rung), trial.number))

    def _score(self, trial: Standing, rung: int) -> float:
        return statistics.fmean(trial.curve[:rung][-self.points :])

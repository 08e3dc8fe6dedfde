"""The winner's curse: how much of the winning validation score was luck."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats


class Shrinkage(NamedTuple):
    """A search's winning score against fresh-seed runs of the same config.

    Attributes:
        search: validation score that won the search.
        fresh: mean score of the fresh-seed runs.
        shrinkage: ``search - fresh``; positive when the search flattered its winner.
        low, high: ``1 - alpha`` interval of the shrinkage, from the fresh seeds' spread; NaN below 2 seeds.
        relative: shrinkage over ``search``; NaN if that is 0.
        seed_sd: standard deviation over fresh seeds; NaN below 2 seeds.
        seeds: fresh-seed runs.
    """

    search: float
    fresh: float
    shrinkage: float
    low: float
    high: float
    relative: float
    seed_sd: float
    seeds: int


def winners_shrinkage(search: float, fresh: Float[np.ndarray, " seeds"], *, alpha: float = 0.05) -> Shrinkage:
    """Compare the score that won the search with what the config scores on seeds it was not chosen by.

    The search score is taken as given (it is one number, and selected); the interval is that of the fresh seeds' mean.

    Raises:
        ValueError: without a fresh-seed run, or with scores that are not finite.
    """
    if not len(fresh) or not np.isfinite([search, *fresh]).all():
        raise ValueError(f"shrinkage needs finite scores and at least one fresh seed, got {search} and {fresh}")
    mean = float(fresh.mean())
    shrinkage = search - mean
    seed_sd, width = math.nan, math.nan
    if len(fresh) > 1:
        seed_sd = float(fresh.std(ddof=1))
        width = float(stats.t.isf(alpha / 2, len(fresh) - 1)) * seed_sd / math.sqrt(len(fresh))
    relative = shrinkage / search if search else math.nan
    return Shrinkage(search, mean, shrinkage, shrinkage - width, shrinkage + width, relative, seed_sd, len(fresh))


class ControlledShrinkage(NamedTuple):
    """A winner's shrinkage against that of trials that nobody selected, run again on the same fresh seeds.

    A lucky seed flatters every trial of a search; selection flatters the winner alone.

    Attributes:
        excess: the winner's shrinkage minus the mean of the controls'.
        low, high: its ``1 - alpha`` interval; NaN with fewer than 2 controls.
        control: mean shrinkage of the controls, what the search's seed was worth.
        controls: how many.
    """

    excess: float
    low: float
    high: float
    control: float
    controls: int

    @property
    def shown(self) -> bool:
        """Whether selection has flattered the winner beyond chance; a small positive number alone is no curse."""
        return self.low > 0


def controlled_shrinkage(
    winner: Shrinkage, controls: Float[np.ndarray, " controls"], *, alpha: float = 0.05
) -> ControlledShrinkage:
    """Tell selection from a lucky seed.

    Args:
        winner: of the selected trial.
        controls: shrinkage (search score minus fresh mean) of unselected trials on the winner's fresh seeds.
        alpha: level of the interval, Student's for one new value against ``controls`` others.

    Raises:
        ValueError: no control, or a value that is not finite.
    """
    count = len(controls)
    if not count or not np.isfinite([winner.shrinkage, *controls]).all():
        raise ValueError(f"a control needs finite shrinkages of at least one trial, got {controls}")
    control = float(controls.mean())
    width = math.nan
    if count > 1:
        spread = float(controls.std(ddof=1)) * math.sqrt(1 + 1 / count)
        width = float(stats.t.isf(alpha / 2, count - 1)) * spread
    excess = winner.shrinkage - control
    return ControlledShrinkage(excess, excess - width, excess + width, control, count)

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

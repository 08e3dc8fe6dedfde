"""Would other users have selected another trial?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from study.analysis.stats.bootstrap import resampled_means


class SelectionStability(NamedTuple):
    """How a selection by mean score fares when its users are resampled.

    Attributes:
        winner: index of the trial with the best mean.
        win_share: per trial, the share of resamples in which it has the best mean; sums to 1.
        winner_share: the winner's ``win_share``.
        rank_low, rank_high: per trial, 2.5 % and 97.5 % quantiles of its rank (1 is best).
    """

    winner: int
    win_share: Float[np.ndarray, " trials"]
    winner_share: float
    rank_low: Float[np.ndarray, " trials"]
    rank_high: Float[np.ndarray, " trials"]


def selection_stability(
    values: Float[np.ndarray, "trials users"], *, rng: np.random.Generator, resamples: int = 1000
) -> SelectionStability:
    """Select the best trial again and again on resampled validation users; ties go to the earlier trial.

    All trials share a resample, as they share their users. One seed per trial: what seeds would change is not in here.
    """
    # Rounded, because a matrix product may give equal trials means that differ in the last bit.
    means = resampled_means(values, rng=rng, resamples=resamples).round(12)
    # A stable sort of the negated means: rank 1 is best, and of equals the earlier trial.
    order = np.argsort(-means, axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, len(values) + 1)[None, :], axis=1)
    win_share = (ranks == 1).mean(axis=0)
    low, high = np.quantile(ranks, [0.025, 0.975], axis=0, method="nearest").astype(np.float64)
    winner = int(np.argmax(values.mean(axis=1)))
    return SelectionStability(winner, win_share, float(win_share[winner]), low, high)

"""Expected validation performance: how good a search's winner would have been with fewer trials."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int


class BudgetCurve(NamedTuple):
    """The best of ``trials`` trials drawn with replacement from those of a search, one entry a budget.

    Attributes:
        trials: budgets, 1 to the number of trials.
        expected: mean of the best value.
        low, high: quantiles between which the best value lies with probability ``1 - alpha``.
    """

    trials: Int[np.ndarray, " budgets"]
    expected: Float[np.ndarray, " budgets"]
    low: Float[np.ndarray, " budgets"]
    high: Float[np.ndarray, " budgets"]


def budget_curve(values: Float[np.ndarray, " trials"], *, alpha: float = 0.05) -> BudgetCurve:
    """Expected best validation value against the number of trials.

    Exact for independent draws: the best of ``n`` is at most ``v`` with probability ``F(v) ** n``, ``F`` the share of
    trials at or below ``v``. A sampler that learns (TPE) does better than its shuffled trials early on, so compare arms
    that were searched alike. Near the number of trials the curve is too low, because no trial better than the best seen
    can be drawn.

    Args:
        values: validation values of the complete trials, higher is better.
        alpha: share of outcomes outside the band.

    Source: Dodge, Gururangan, Card, Schwartz and Smith (2019), equations 5 and 6.

    Raises:
        ValueError: no trial, or a value that is not finite.
    """
    if not len(values) or not np.isfinite(values).all():
        raise ValueError(f"a budget curve needs finite values of at least one trial, got {values}")
    ordered = np.sort(values.astype(np.float64))
    budgets = np.arange(1, len(ordered) + 1)
    at_most = (np.arange(1, len(ordered) + 1) / len(ordered))[None, :] ** budgets[:, None]
    chance = np.diff(at_most, axis=1, prepend=0.0)
    places = [np.argmax(at_most >= level - 1e-12, axis=1) for level in (alpha / 2, 1 - alpha / 2)]
    return BudgetCurve(budgets, chance @ ordered, ordered[places[0]], ordered[places[1]])

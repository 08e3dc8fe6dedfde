"""Ranks of arms over datasets: Iman and Davenport's test and Nemenyi's critical difference."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats

from sea_core.errors import UserError

LEAST_DATASETS = 5


class CriticalDifference(NamedTuple):
    """What a critical-difference diagram shows.

    Attributes:
        mean_ranks: per arm, 1 is best, ties share the mean rank.
        statistic, p: Iman and Davenport's test that all arms rank alike.
        difference: mean ranks closer than this are not told apart.
        groups: arms (column indices, best first) that are not told apart, largest groups only.
    """

    mean_ranks: Float[np.ndarray, " arms"]
    statistic: float
    p: float
    difference: float
    groups: tuple[tuple[int, ...], ...]


def critical_difference(scores: Float[np.ndarray, "datasets arms"], *, alpha: float = 0.05) -> CriticalDifference:
    """Compare arms over datasets; higher scores are better.

    Source: Demšar (2006). One score per dataset and arm, so it says nothing about users or seeds.

    Raises:
        UserError: with fewer than 5 datasets, which cannot carry a rank test.
        ValueError: with fewer than 3 arms, or scores that are not finite.
    """
    datasets, arms = scores.shape
    if datasets < LEAST_DATASETS:
        raise UserError(
            f"critical-difference ranks need at least {LEAST_DATASETS} datasets, got {datasets}; "
            "read the per-dataset comparisons instead, or run the study on more datasets"
        )
    if arms < 3 or not np.isfinite(scores).all():
        raise ValueError(f"ranks need at least 3 arms and finite scores, got shape {scores.shape}")
    mean_ranks = stats.rankdata(-scores, axis=1).mean(axis=0)
    if (scores == scores[:, :1]).all():
        statistic, p = 0.0, 1.0  # every row one tie: Friedman's statistic would be 0 / 0
    else:
        friedman, _ = stats.friedmanchisquare(*scores.T)
        statistic, p = iman_davenport(float(friedman), datasets=datasets, arms=arms)
    quantile = stats.studentized_range.ppf(1 - alpha, arms, np.inf) / math.sqrt(2)
    difference = float(quantile * math.sqrt(arms * (arms + 1) / (6 * datasets)))
    return CriticalDifference(mean_ranks, float(statistic), float(p), difference, _groups(mean_ranks, difference))


def iman_davenport(friedman: float, *, datasets: int, arms: int) -> tuple[float, float]:
    """F statistic and p-value from Friedman's chi-square, which is too cautious with few datasets.

    ``F = (N - 1) chi2 / (N (k - 1) - chi2)`` with ``k - 1`` and ``(k - 1)(N - 1)`` degrees of freedom. Where every
    dataset ranks the arms alike, ``F`` is infinite; the p-value is at least the probability of that, ``k! ** (1 - N)``.

    Source: Iman and Davenport (1980); Demšar (2006), section 3.2.2.
    """
    most = datasets * (arms - 1)
    least = math.exp((1 - datasets) * math.lgamma(arms + 1))
    if friedman >= most * (1 - 1e-12):
        return math.inf, least
    statistic = (datasets - 1) * friedman / (most - friedman)
    return statistic, max(float(stats.f.sf(statistic, arms - 1, (arms - 1) * (datasets - 1))), least)


def _groups(mean_ranks: Float[np.ndarray, " arms"], difference: float) -> tuple[tuple[int, ...], ...]:
    """Largest runs of neighbouring arms whose mean ranks differ by at most ``difference``."""
    order = np.argsort(mean_ranks, kind="stable")
    sorted_ranks = mean_ranks[order]
    groups: list[tuple[int, ...]] = []
    reached = 0
    for start in range(len(order)):
        end = int(np.searchsorted(sorted_ranks, sorted_ranks[start] + difference, side="right"))
        if end > reached and end - start > 1:
            groups.append(tuple(int(arm) for arm in order[start:end]))
        reached = max(reached, end)
    return tuple(groups)

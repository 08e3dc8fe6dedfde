"""A difference over several datasets: its mean, and what the next dataset may show."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import optimize, stats

LEAST_DATASETS = 5  # below it a heterogeneity estimated from the data is guesswork: ``hierarchical.py`` has priors


class Pooled(NamedTuple):
    """A random-effects mean.

    Attributes:
        mean: over datasets like these.
        low, high: its ``1 - alpha`` interval (Hartung and Knapp).
        p: two-sided p-value of a mean of 0.
        next_low, next_high: ``1 - alpha`` prediction interval of the true effect on the next dataset.
        tau: standard deviation of true effects between datasets (REML).
        datasets: how many.
    """

    mean: float
    low: float
    high: float
    p: float
    next_low: float
    next_high: float
    tau: float
    datasets: int


def hartung_knapp(
    effects: Float[np.ndarray, " datasets"], errors: Float[np.ndarray, " datasets"], *, alpha: float = 0.05
) -> Pooled:
    """Pool effects, for example log ratios, whose standard errors are known.

    Source: Hartung and Knapp (2001), Knapp and Hartung (2003); the heterogeneity by restricted maximum likelihood, the
    prediction interval with ``datasets - 1`` degrees of freedom, both as metafor has them. With six datasets that
    prediction interval holds the next effect in some 86 % of cases, not 95 %: read it as the least that may happen.

    Raises:
        ValueError: with fewer than 5 datasets, or an error that is not positive and finite.
    """
    count = len(effects)
    if count < LEAST_DATASETS or errors.shape != effects.shape:
        raise ValueError(f"pooling needs {LEAST_DATASETS} datasets with an error each, got {count} and {len(errors)}")
    if not np.isfinite(effects).all() or not (np.isfinite(errors) & (errors > 0)).all():
        raise ValueError(f"effects must be finite and errors positive, got {effects} and {errors}")
    variance = _heterogeneity(effects, np.square(errors))
    weights = 1 / (np.square(errors) + variance)
    mean = float(weights @ effects / weights.sum())
    spread = float(weights @ np.square(effects - mean)) / (count - 1) / float(weights.sum())
    reach = float(stats.t.isf(alpha / 2, count - 1))
    error, ahead = math.sqrt(spread), math.sqrt(spread + variance)
    p = float(2 * stats.t.sf(abs(mean) / error, count - 1)) if error > 0 else math.nan
    return Pooled(
        mean,
        mean - reach * error,
        mean + reach * error,
        p,
        mean - reach * ahead,
        mean + reach * ahead,
        math.sqrt(variance),
        count,
    )


def _heterogeneity(effects: Float[np.ndarray, " datasets"], variances: Float[np.ndarray, " datasets"]) -> float:
    """Variance between datasets that maximises the restricted likelihood."""

    def loss(between: float) -> float:
        weights = 1 / (variances + between)
        mean = weights @ effects / weights.sum()
        likelihood = np.log(weights).sum() - np.log(weights.sum()) - weights @ np.square(effects - mean)
        return -float(likelihood) / 2

    most = float(np.var(effects, ddof=1)) * 10 + float(variances.max())
    # The likelihood may have a second, lower peak: look everywhere first.
    grid = np.concatenate([[0.0], np.geomspace(most * 1e-8, most, 200)])
    best = int(np.argmin([loss(value) for value in grid]))
    if best == 0 and loss(float(grid[1])) >= loss(0.0):
        return 0.0
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, len(grid) - 1)])
    minimum = optimize.minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": most * 1e-12})
    return float(minimum.x)

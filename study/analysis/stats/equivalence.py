"""Equivalence: the only way to say "no difference"."""

from __future__ import annotations

import math
from typing import NamedTuple

from study.analysis.stats.behrens_fisher import half_width, tail_probability
from study.analysis.stats.crossed import CrossedEffect


class Equivalence(NamedTuple):
    """Two one-sided tests that a mean difference lies inside ``(-margin, margin)``.

    Attributes:
        margin: largest difference that does not matter, in units of the metric.
        p: the larger of the two one-sided p-values; small means equivalent.
        low, high: the ``1 - 2 alpha`` interval, inside the margin exactly when ``p < alpha``.
    """

    margin: float
    p: float
    low: float
    high: float


def equivalence_test(effect: CrossedEffect, *, margin: float, alpha: float = 0.05) -> Equivalence:
    """TOST (Schuirmann 1987; Lakens 2017) with the reference distribution of ``crossed_effect``.

    Raises:
        ValueError: if ``margin`` is not positive.
    """
    if not margin > 0:
        raise ValueError(f"margin must be > 0, got {margin}")
    if math.isnan(effect.standard_error):
        return Equivalence(margin, math.nan, math.nan, math.nan)
    freedom = {"df": effect.seeds - 1, "user_df": effect.users - 1}
    inside = margin - abs(effect.mean)
    tail = float(tail_probability(abs(inside), effect.user_variance, effect.seed_variance, **freedom)) / 2
    width = float(half_width(effect.user_variance, effect.seed_variance, alpha=2 * alpha, **freedom))
    return Equivalence(margin, tail if inside > 0 else 1 - tail, effect.mean - width, effect.mean + width)

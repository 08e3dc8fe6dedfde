"""Paired difference of two small samples: what one number per run allows, where there are no users to resample."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats


class PairedDifference(NamedTuple):
    """A mean difference over runs with the same seeds.

    Attributes:
        mean: of the differences.
        low, high: the ``1 - alpha`` interval; NaN below 2 pairs, like ``p``. NaN too where all differences are the same
            number but 0: two equal numbers are no estimate of how much a third would differ.
        p: two-sided p-value of "no difference"; 1 if every pair is equal.
        pairs: number of differences.
    """

    mean: float
    low: float
    high: float
    p: float
    pairs: int


def paired_difference(difference: Float[np.ndarray, " pairs"], *, alpha: float = 0.05) -> PairedDifference:
    """Student's paired t test (Student 1908); with three pairs its interval is 2.5 standard deviations to either side.

    Raises:
        ValueError: if there is no pair, or a value is not finite.
    """
    pairs = len(difference)
    if not pairs or not np.isfinite(difference).all():
        raise ValueError(f"a paired difference needs finite values and at least one pair, got {difference}")
    mean = float(difference.mean())
    if pairs < 2:
        return PairedDifference(mean, math.nan, math.nan, math.nan, pairs)
    if float(difference.std(ddof=1)) <= 1e-12 * abs(mean) * math.sqrt(pairs):  # one number, again and again
        same = mean == 0
        return PairedDifference(mean, *((0.0, 0.0, 1.0) if same else (math.nan, math.nan, math.nan)), pairs)
    test = stats.ttest_1samp(difference, 0.0)
    low, high = test.confidence_interval(1 - alpha)
    return PairedDifference(mean, float(low), float(high), float(test.pvalue), pairs)

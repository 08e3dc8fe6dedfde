"""Copies of the reference on seeds of their own: what a difference of nothing looks like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats


class PlaceboSummary(NamedTuple):
    """How copies of the reference came out; every difference among them is chance.

    Attributes:
        copies: how many.
        flagged: copies called better or worse, each at level ``alpha`` by itself.
        most_expected: so many or fewer are flagged in 95 % of studies if the test is right.
        farthest: largest absolute difference, relative to the reference.
        typical: root mean square of the relative differences.
    """

    copies: int
    flagged: int
    most_expected: int
    farthest: float
    typical: float


def summarise_placebos(p: Sequence[float], relative: Sequence[float], *, alpha: float = 0.05) -> PlaceboSummary:
    """Summarise copies of the reference that were treated as arms outside of the family.

    Args:
        p: uncorrected p-value of each copy against the reference; NaN counts as not flagged.
        relative: its difference over the reference's mean.
        alpha: level at which a copy is flagged.

    Raises:
        ValueError: no copy, or p-values and differences of different length.
    """
    if not p or len(p) != len(relative):
        raise ValueError(
            f"each of at least one copy needs a p-value and a difference, got {len(p)} and {len(relative)}"
        )
    values = np.abs(np.asarray(relative, dtype=np.float64))
    return PlaceboSummary(
        copies=len(p),
        flagged=int((np.asarray(p) < alpha).sum()),
        most_expected=int(stats.binom.ppf(0.95, len(p), alpha)),
        farthest=float(values.max()),
        typical=float(np.sqrt(np.square(values).mean())),
    )

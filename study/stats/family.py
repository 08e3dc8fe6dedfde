"""Holm's correction over a family of comparisons."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from statsmodels.stats.multitest import multipletests


def holm(p: Float[np.ndarray, " comparisons"]) -> Float[np.ndarray, " comparisons"]:
    """Holm-adjusted p-values (Holm 1979); NaN stays NaN and does not count towards the family."""
    adjusted = np.full(p.shape, np.nan)
    said = ~np.isnan(p)
    if said.any():
        adjusted[said] = multipletests(p[said], method="holm")[1]
    return adjusted

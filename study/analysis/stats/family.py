"""Holm's correction over a family of comparisons."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def holm(p: Float[np.ndarray, " comparisons"]) -> Float[np.ndarray, " comparisons"]:
    """Holm-adjusted p-values (Holm 1979); NaN stays NaN and does not count towards the family.

    Four lines instead of statsmodels' ``multipletests``, which collects garbage on each call: 0.2 s beside torch.
    """
    adjusted = np.full(p.shape, np.nan)
    order = np.argsort(p)[: np.count_nonzero(~np.isnan(p))]  # NaN sorts last
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted

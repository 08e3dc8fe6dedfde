"""From paired differences of several arms to evidence on each, with moderated seed variances."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from study.analysis.stats.contrasts import Evidence
from study.analysis.stats.crossed import mean_squares
from study.analysis.stats.moderation import PRIOR_DF, moderate_ratios


def gather_evidence(
    differences: Sequence[Float[np.ndarray, "_ users"]], margins: Sequence[float], *, prior_df: int = PRIOR_DF
) -> list[Evidence]:
    """Evidence on the arms of one dataset, metric and mode, whose seed variances are moderated together.

    The variance of each mean is ``(MS_user - MS_residual)+ / (S U)`` from users and ``F MS_residual / (S U)`` from
    seeds, ``F`` the moderated ratio. It never falls below what users and residual alone make it.

    Args:
        differences: per arm ``(seeds, users)``; arms may differ in their seeds, not in their users.
        margins: per arm, in units of the metric.
        prior_df: 0 for no moderation.

    Returns:
        One a difference; with fewer than 2 seeds or users its variance is NaN.

    Raises:
        ValueError: a difference is empty or not finite, or not every difference has a margin.
    """
    if len(differences) != len(margins):
        raise ValueError(f"each of {len(differences)} differences needs a margin, got {len(margins)}")
    if any(not difference.size or not np.isfinite(difference).all() for difference in differences):
        raise ValueError("a difference must be finite and not empty")
    known = [n for n, difference in enumerate(differences) if min(difference.shape) > 1]
    squares = {n: mean_squares(differences[n].astype(np.float64)) for n in known}
    ratios = [_ratio(float(each.seed), float(each.residual)) for each in squares.values()]
    seeds = np.array([differences[n].shape[0] for n in known], dtype=np.int64)
    evidence: list[Evidence] = [
        Evidence(len(each), float(each.mean(dtype=np.float64)), math.nan, math.nan, 0, each.shape[1] - 1, margin)
        for each, margin in zip(differences, margins, strict=True)
    ]
    if not known:
        return evidence
    moderated = moderate_ratios(np.array(ratios), seeds, prior_df=prior_df)
    for n, ratio, df in zip(known, moderated.ratio, moderated.df, strict=True):
        each = squares[n]
        cells = each.seeds * each.users
        # Without residual variance there is no ratio, and the seeds' own mean square is all there is.
        spread = float(each.seed) if math.isnan(ratio) else float(ratio) * float(each.residual)
        evidence[n] = evidence[n]._replace(
            mean=float(each.mean), user_variance=float(each.user_variance), seed_variance=spread / cells, df=int(df)
        )
    return evidence


def _ratio(seed: float, residual: float) -> float:
    return seed / residual if residual > 0 else math.nan

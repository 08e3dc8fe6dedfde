"""More seeds of the reference alone: every contrast shares it, so a seed of it is worth more than a seed of an arm.

A difference on ``S`` common seeds has the seeds' variance ``2 (1 - r) v / S`` where ``v`` is that of one run and ``r``
the correlation that common random numbers make between two arms on one seed. With ``M`` more seeds of the reference,

    arm - w reference - (1 - w) mean of the reference on its other seeds

is as unbiased for every ``w``, and its variance ``v (1 - 2 w r + w^2) / S + v (1 - w)^2 / M`` is least at
``w = (r M + S) / (M + S)``: the plain mean over all seeds of the reference if ``r`` is 0, the paired difference if it
is 1. One ``r`` is estimated for all arms of a metric.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from study.analysis.stats.contrasts import Evidence
from study.analysis.stats.crossed import mean_squares

LEAST_EXTRA = 2  # seeds, of which one estimates a variance


class SharedReference(NamedTuple):
    """A reference with seeds of its own beside those that all arms share.

    Attributes:
        weight: of the common seeds, ``w``; 1 - ``weight`` is that of the others.
        correlation: of two arms on one seed, between 0 and 1.
        variance: of ``1 - weight`` times the mean over the other seeds, from seeds alone.
        df: degrees of freedom of ``variance``.
    """

    weight: float
    correlation: float
    variance: float
    df: int


def share_reference(
    arms: Sequence[Float[np.ndarray, "_ users"]],
    bases: Sequence[Float[np.ndarray, "_ users"]],
    extra: Float[np.ndarray, "more users"],
) -> SharedReference:
    """How much the reference's other seeds should count, and what they add to a variance.

    Args:
        arms: of one metric, each ``(seeds, users)``.
        bases: the reference on each arm's seeds.
        extra: the reference on seeds that no arm has.

    Raises:
        ValueError: fewer than 2 other seeds, no arm, or arms and bases of different shapes.
    """
    if len(extra) < LEAST_EXTRA:
        raise ValueError(f"the reference needs at least {LEAST_EXTRA} seeds of its own, got {len(extra)}")
    if not arms or [arm.shape for arm in arms] != [base.shape for base in bases]:
        raise ValueError("each of at least one arm needs the reference on its own seeds")
    covariance = spread = 0.0
    for arm, base in zip(arms, bases, strict=True):
        ours, theirs = (side.mean(axis=1) - side.mean() for side in (arm, base))
        covariance += float(ours @ theirs)
        spread += math.sqrt(float(ours @ ours) * float(theirs @ theirs))
    correlation = min(max(covariance / spread, 0.0), 1.0) if spread > 0 else 1.0
    seeds, more = float(np.mean([len(arm) for arm in arms])), len(extra)
    weight = (correlation * more + seeds) / (more + seeds)
    squares = mean_squares(extra.astype(np.float64))
    # What single users keep of it is in the users' part already: the other seeds are the same for every seed of an arm.
    above_chance = max(float(squares.seed - squares.residual), 0.0) / (more * extra.shape[1])
    return SharedReference(weight, correlation, (1 - weight) ** 2 * above_chance, more - 1)


def joint_base(
    base: Float[np.ndarray, "seeds users"], extra: Float[np.ndarray, "more users"], shared: SharedReference
) -> Float[np.ndarray, "seeds users"]:
    """The reference on an arm's seeds, drawn towards its mean on the others."""
    return np.asarray(shared.weight * base + (1 - shared.weight) * extra.mean(axis=0, keepdims=True))


def add_reference_variance(evidence: Evidence, shared: SharedReference) -> Evidence:
    """Evidence from differences to a ``joint_base``, with what the other seeds add to the seeds' variance.

    Source: Satterthwaite (1946) for the degrees of freedom of the sum.
    """
    if math.isnan(evidence.seed_variance):
        return evidence
    total = evidence.seed_variance + shared.variance
    uncertainty = evidence.seed_variance**2 / evidence.df + shared.variance**2 / shared.df
    df = math.floor(total**2 / uncertainty + 1e-9) if uncertainty > 0 else evidence.df
    return evidence._replace(seed_variance=total, df=max(df, 1))


def seeds_for_the_reference(seeds: int, arms: int) -> int:
    """Seeds of the reference that make the differences of ``arms`` arms of ``seeds`` seeds most precise for their cost.

    ``seeds sqrt(arms)`` (Dunnett 1955), where arms on one seed are independent.
    """
    return max(seeds, round(seeds * math.sqrt(arms)))

"""Angles between generic and unique parts, against the theory of random directions.

Two random directions in ``dim`` dimensions are nearly orthogonal anyway: their cosine has mean 0 and variance
``1 / dim``. So orthogonality by itself shows nothing; only a distribution that differs from this one does.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats

from sea_core.diagnostics.sphere import unit_rows


class Angles(NamedTuple):
    """Cosines of matched rows.

    Attributes:
        cosine: one per item.
        mean, sd: of ``cosine``.
        random_sd: what ``sd`` would be for random directions, ``1 / sqrt(dim)``.
        distance: Kolmogorov-Smirnov distance between the cosines and those of random directions, 0 to 1. A description:
            learned rows are not independent, so it has no p-value.
    """

    cosine: Float[np.ndarray, " items"]
    mean: float
    sd: float
    random_sd: float
    distance: float


def angle_distribution(x: Float[np.ndarray, "items dim"], y: Float[np.ndarray, "items dim"]) -> Angles:
    """Cosines between matched rows, such as the two distance heads' outputs.

    Raises:
        ValueError: with fewer than 2 dimensions, or if a row is zero.
    """
    dim = x.shape[1]
    cosine = np.clip((unit_rows(x) * unit_rows(y)).sum(axis=1), -1.0, 1.0)
    distance = stats.kstest((cosine + 1) / 2, _random_cosine(dim).cdf).statistic
    return Angles(cosine, float(cosine.mean()), float(cosine.std()), 1 / math.sqrt(dim), float(distance))


def random_cosine_density(cosine: Float[np.ndarray, " points"], dim: int) -> Float[np.ndarray, " points"]:
    """Density of the cosine of two random directions: proportional to ``(1 - cosine ** 2) ** ((dim - 3) / 2)``.

    Source: Cai, Fan and Jiang (2013).

    Raises:
        ValueError: with fewer than 2 dimensions.
    """
    return np.asarray(_random_cosine(dim).pdf((cosine + 1) / 2) / 2)


def _random_cosine(dim: int) -> stats.rv_frozen:
    """Distribution of ``(cosine + 1) / 2``: a symmetric beta."""
    if dim < 2:
        raise ValueError(f"angles need at least 2 dimensions, got {dim}")
    return stats.beta((dim - 1) / 2, (dim - 1) / 2)

"""Dependence between two representations of the same items: linear CKA and HSIC."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import pdist, squareform


class Dependence(NamedTuple):
    """Dependence of any form between two representations, and a test of it.

    Attributes:
        hsic: HSIC over the geometric mean of the two self-dependences (kernel CKA); about 0 if independent, at most 1.
        p: permutation p-value of independence; NaN if none was asked for.
        items: items the test used.
    """

    hsic: float
    p: float
    items: int


def linear_cka(x: Float[np.ndarray, "items dim_x"], y: Float[np.ndarray, "items dim_y"]) -> float:
    """Centred kernel alignment with linear kernels, debiased: 0 for independent parts however wide, 1 for rotations.

    The usual estimate grows with width over items (0.5 for two independent parts as wide as there are items); this one
    has the unbiased HSIC in numerator and denominator, so it can be slightly negative. Never forms items x items.

    Source: Kornblith et al. (2019); debiased with the estimator of Song et al. (2012).

    Raises:
        ValueError: with fewer than 4 items, or if a representation does not vary.
    """
    self_x, self_y = _linear_hsic(x, x), _linear_hsic(y, y)
    if self_x <= 0 or self_y <= 0:
        raise ValueError("CKA needs representations that vary over items")
    return _linear_hsic(x, y) / math.sqrt(self_x * self_y)


def rbf_hsic(
    x: Float[np.ndarray, "items dim_x"],
    y: Float[np.ndarray, "items dim_y"],
    *,
    rng: np.random.Generator,
    most_items: int = 1000,
    permutations: int = 0,
) -> Dependence:
    """Dependence of any form, with Gaussian kernels as wide as the median distance.

    Args:
        x, y: two representations, rows matched.
        rng: draws ``most_items`` items where there are more, and the permutations.
        most_items: memory and time are quadratic in them.
        permutations: of the test of independence; a measure of a trained model's parts needs none.

    Source: Gretton et al. (2005, 2008); unbiased estimator of Song et al. (2012).

    Raises:
        ValueError: with fewer than 4 items, or if a representation does not vary.
    """
    chosen = rng.permutation(len(x))[:most_items]
    kernel_x, kernel_y = _gaussian_kernel(x[chosen]), _gaussian_kernel(y[chosen])
    observed = _hsic(kernel_x, kernel_y)
    as_large = 0
    for _ in range(permutations):
        order = rng.permutation(len(chosen))
        as_large += _hsic(kernel_x, kernel_y[np.ix_(order, order)]) >= observed
    scale = math.sqrt(_hsic(kernel_x, kernel_x) * _hsic(kernel_y, kernel_y))
    p = (1 + as_large) / (1 + permutations) if permutations else math.nan
    return Dependence(observed / scale, p, len(chosen))


def _linear_hsic(x: Float[np.ndarray, "items dim_x"], y: Float[np.ndarray, "items dim_y"]) -> float:
    """``_hsic`` of linear kernels, in feature space: centred columns make most kernel sums vanish."""
    items = _checked(len(x))
    x, y = x.astype(np.float64), y.astype(np.float64)
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    norms_x, norms_y = np.square(x).sum(axis=1), np.square(y).sum(axis=1)
    both = float(norms_x @ norms_y)
    trace = float(np.square(x.T @ y).sum()) - both
    pairs = float(norms_x.sum() * norms_y.sum()) / ((items - 1) * (items - 2))
    return (trace + pairs - 2 * both / (items - 2)) / (items * (items - 3))


def _hsic(kernel_x: Float[np.ndarray, "items items"], kernel_y: Float[np.ndarray, "items items"]) -> float:
    """Unbiased HSIC of two kernels with zero diagonals (Song et al. 2012, equation 5)."""
    items = len(kernel_x)
    rows_x, rows_y = kernel_x.sum(axis=1), kernel_y.sum(axis=1)
    trace = float(np.vdot(kernel_x, kernel_y))
    pairs = float(rows_x.sum() * rows_y.sum()) / ((items - 1) * (items - 2))
    return (trace + pairs - 2 * float(rows_x @ rows_y) / (items - 2)) / (items * (items - 3))


def _gaussian_kernel(x: Float[np.ndarray, "items dim"]) -> Float[np.ndarray, "items items"]:
    _checked(len(x))
    distances = pdist(x.astype(np.float64), "sqeuclidean")
    width = float(np.median(distances))
    if width == 0:
        raise ValueError("HSIC needs representations that vary over items")
    return np.asarray(squareform(np.exp(-distances / width)))  # squareform leaves the diagonal 0


def _checked(items: int) -> int:
    if items < 4:
        raise ValueError(f"the unbiased HSIC needs at least 4 items, got {items}")
    return items

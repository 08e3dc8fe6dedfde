"""Would more search help? The gain that as many trials again would bring, from the best trials of a search."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats

LEAST = 6  # trials; of fewer the tail says nothing
_TAIL = 4  # least number of trials in the tail, else the better half
# Near a smooth optimum in d dimensions the tail's shape is -2 / d; noise alone gives almost 0.
_SHAPES = np.linspace(-0.75, -0.01, 16)
_SCALES, _SHARES, _GAINS = 48, 15, 160  # nodes of the quadrature


class MoreSearch(NamedTuple):
    """What doubling a search would bring, on the scale of its values.

    Attributes:
        expected: mean gain of the best value.
        high: the gain is at most this with probability ``level``.
        level: of ``high``.
        none: probability of no gain at all.
        tail: number of best trials that the estimate rests on.
    """

    expected: float
    high: float
    level: float
    none: float
    tail: int


def more_search(values: Float[np.ndarray, " trials"], *, level: float = 0.95) -> MoreSearch:
    """Predict what as many further trials would add to the best value.

    Assumes that further trials are independent draws like those there are, and that values above the median fall off as
    a generalised Pareto tail of shape -0.75 to 0: there is a best possible value, or almost. Shape (uniform prior),
    scale (prior ``1 / scale``) and the share of trials in the tail (beta) are averaged over. Luck of the seed is part
    of a value, so it is part of the gain.

    Args:
        values: validation values of complete trials, higher is better, repeated configurations once.
        level: probability that the gain is at most ``high``.

    Source: exceedances over a threshold as Pickands (1975); averaging over the posterior is the usual predictive
    distribution.

    Raises:
        ValueError: fewer than 6 trials, a value that is not finite, or a level outside (0, 1).
    """
    count = len(values)
    if count < LEAST or not np.isfinite(values).all() or not 0 < level < 1:
        raise ValueError(f"expected at least {LEAST} finite values and a level inside (0, 1), got {values}, {level}")
    tail = max(_TAIL, count // 2)
    ordered = np.sort(values.astype(np.float64))[::-1]
    excess = ordered[:tail] - ordered[tail]
    size, best = float(excess.mean()), float(excess[0])
    if size <= 0:  # the better half is all the same
        return MoreSearch(0.0, 0.0, level, 1.0, tail)
    shapes, scales = _SHAPES[:, None], size * np.geomspace(0.2, 20.0, _SCALES)[None, :]
    posterior = _posterior(excess, shapes, scales)
    at = (np.arange(_SHARES) + 0.5) / _SHARES
    shares = stats.beta.ppf(at, tail + 0.5, count - tail + 0.5)
    gains = size * np.concatenate([[0.0], np.geomspace(1e-4, 30.0, _GAINS)])
    reach = 1 + shapes[..., None] * (best + gains) / scales[..., None]
    survives = np.maximum(reach, 0.0) ** (-1 / shapes[..., None])  # one trial of the tail lies beyond
    inside = np.log1p(-shares[:, None, None, None] * survives)
    beyond = -np.expm1(count * inside).mean(axis=0)
    exceeds = np.einsum("ij,ijk->k", posterior, beyond)  # probability that the gain is larger
    high = 0.0 if exceeds[0] <= 1 - level else float(np.interp(level - 1, -exceeds, gains))
    return MoreSearch(float(np.trapezoid(exceeds, gains)), high, level, float(1 - exceeds[0]), tail)


def _posterior(
    excess: Float[np.ndarray, " tail"], shapes: Float[np.ndarray, "shapes 1"], scales: Float[np.ndarray, "1 scales"]
) -> Float[np.ndarray, "shapes scales"]:
    """Posterior of shape and scale on the grid, whose scales are evenly spaced in the logarithm."""
    inside = 1 + shapes[..., None] * excess / scales[..., None]
    with np.errstate(divide="ignore"):
        logs = np.where(inside > 0, np.log(np.maximum(inside, 1e-300)), -np.inf)
    density = -len(excess) * np.log(scales) - ((1 / shapes + 1)[..., None] * logs).sum(axis=-1)
    density = np.where((inside > 0).all(axis=-1), density, -np.inf)
    weights = np.exp(density - density.max())
    return weights / weights.sum()

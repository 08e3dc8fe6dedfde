"""Which candidates may be the best: a model confidence set."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from study.analysis.stats.bootstrap import resampled_means

_ROUNDING = 1e-12  # equal candidates may differ by this much after a matrix product


class BestSet(NamedTuple):
    """Candidates that may be the best, as a set: it holds the best one with probability ``1 - alpha``.

    Attributes:
        p: per candidate, the smallest level at which it is left out.
        inside: whether it belongs to the set.
        winner: index of the candidate with the best mean.
    """

    p: Float[np.ndarray, " candidates"]
    inside: Bool[np.ndarray, " candidates"]
    winner: int


def model_confidence_set(
    values: Float[np.ndarray, "candidates seeds users"],
    *,
    rng: np.random.Generator,
    resamples: int = 1000,
    alpha: float = 0.05,
) -> BestSet:
    """Leave out the worst candidate as long as the candidates left are not equally good.

    Users are resampled, and seeds beside them where there are two or more; all candidates share each resample. With one
    seed the set says nothing about what another seed would change.

    Args:
        values: per-user values of each candidate, higher is better; same seeds and users for all.
        rng: for the resamples.
        resamples: bootstrap resamples.
        alpha: probability that the best candidate is not in the set.

    Source: Hansen, Lunde and Nason (2011), the statistic ``T_max`` and its bootstrap.

    Raises:
        ValueError: no candidate, fewer than 2 users, or values that are not finite.
    """
    candidates, _, users = values.shape
    if not candidates or users < 2 or not np.isfinite(values).all():
        raise ValueError(f"a set needs candidates with finite values of at least 2 users, got {values.shape}")
    losses = -values.astype(np.float64)
    means = losses.mean(axis=(1, 2))
    drawn = _resampled(losses, rng, resamples)
    noise = drawn - means[None, :]
    p = np.ones(candidates)
    left = list(range(candidates))
    worst = 0.0
    while len(left) > 1:
        centred = noise[:, left] - noise[:, left].mean(axis=1, keepdims=True)
        excess = means[left] - means[left].mean()
        error = np.sqrt(np.square(centred).mean(axis=0))
        same = error <= _ROUNDING
        statistic = np.divide(excess, error, out=np.where(excess > _ROUNDING, np.inf, 0.0), where=~same)
        null = np.divide(centred, error, out=np.zeros_like(centred), where=~same[None, :]).max(axis=1)
        worst = max(worst, float((null >= statistic.max() - _ROUNDING).mean()))
        dropped = left[int(np.argmax(statistic))]
        p[dropped] = worst
        left.remove(dropped)
    return BestSet(p, p > alpha, int(np.argmin(means)))


def _resampled(
    losses: Float[np.ndarray, "candidates seeds users"], rng: np.random.Generator, resamples: int
) -> Float[np.ndarray, "resamples candidates"]:
    """Means over users, and over seeds where there are several, drawn with replacement."""
    candidates, seeds, users = losses.shape
    by_seed = resampled_means(losses.reshape(candidates * seeds, users), rng=rng, resamples=resamples)
    by_seed = by_seed.reshape(resamples, candidates, seeds)
    counts = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples)
    return np.asarray(np.einsum("rcs,rs->rc", by_seed, counts / seeds))

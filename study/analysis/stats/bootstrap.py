"""Hierarchical bootstrap over users and seeds: a check on ``crossed.py`` that assumes no distribution."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

_BLOCK_VALUES = 2**22  # resampled user counts held at once: 32 MB


class BootstrapIntervals(NamedTuple):
    """Percentile intervals of mean differences, one entry per comparison."""

    low: Float[np.ndarray, " comparisons"]
    high: Float[np.ndarray, " comparisons"]
    standard_error: Float[np.ndarray, " comparisons"]


def hierarchical_bootstrap(
    differences: Float[np.ndarray, "comparisons seeds users"],
    *,
    rng: np.random.Generator,
    resamples: int = 1000,
    alpha: float = 0.05,
) -> BootstrapIntervals:
    """Resample users and seeds, each with replacement and independently; all comparisons share each resample.

    With few seeds it sees too little of the seed effect (a factor ``(seeds - 1) / seeds`` of its variance) and counts
    the interaction up to three times: a check beside ``crossed_effect``, never a replacement.

    Source: Owen (2007), the pigeonhole bootstrap.

    Raises:
        ValueError: if there are fewer than 2 seeds or 2 users, which leaves nothing to resample.
    """
    comparisons, seeds, users = differences.shape
    if seeds < 2 or users < 2:
        raise ValueError(f"the bootstrap needs at least 2 seeds and 2 users, got {seeds} and {users}")
    by_seed = resampled_means(differences.reshape(comparisons * seeds, users), rng=rng, resamples=resamples)
    weights = _resample_counts(rng, resamples, seeds) / seeds
    means = np.einsum("rcs,rs->rc", by_seed.reshape(resamples, comparisons, seeds), weights)
    low, high = np.quantile(means, [alpha / 2, 1 - alpha / 2], axis=0)
    return BootstrapIntervals(low, high, means.std(axis=0, ddof=1))


def resampled_means(
    values: Float[np.ndarray, "rows users"], *, rng: np.random.Generator, resamples: int
) -> Float[np.ndarray, "resamples rows"]:
    """Mean of each row over users drawn with replacement; all rows share each resample."""
    users = values.shape[1]
    block = max(1, _BLOCK_VALUES // users)
    sizes = [min(block, resamples - start) for start in range(0, resamples, block)]
    return np.concatenate([_resample_counts(rng, size, users) @ values.T for size in sizes]) / users


def _resample_counts(rng: np.random.Generator, resamples: int, size: int) -> Float[np.ndarray, "resamples size"]:
    """How often each of ``size`` things is drawn in ``size`` draws with replacement, one resample a row."""
    drawn = rng.integers(size, size=(resamples, size)) + size * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * size).reshape(resamples, size).astype(np.float64)

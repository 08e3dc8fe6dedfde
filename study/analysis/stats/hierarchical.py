"""What the next dataset will show: a hierarchical model of one arm's log ratios over datasets.

    y_d ~ N(theta_d, s_d^2),   theta_d ~ Student t(mu, tau),   mu flat,   tau half-normal

Two or three datasets cannot estimate how much datasets differ, so ``tau`` has a prior, and the answer is given for
several scales of it: where they disagree, the datasets do not decide.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import signal, stats

TAU_SCALES = (0.01, 0.02, 0.05)
FREEDOM = 4  # of the Student t between datasets: one odd dataset does not decide the mean
_STEPS = 1501
_TAUS = 41


class NextDataset(NamedTuple):
    """Probabilities of the true log ratio on a dataset like these.

    Attributes:
        tau_scale: scale of the half-normal prior on the standard deviation between datasets.
        worse: below minus the margin.
        inside: within the margin.
        better: above the margin.
        mean: posterior mean of ``mu``.
        tau: posterior mean of ``tau``.
    """

    tau_scale: float
    worse: float
    inside: float
    better: float
    mean: float
    tau: float


def next_dataset(
    effects: Float[np.ndarray, " datasets"],
    errors: Float[np.ndarray, " datasets"],
    *,
    margin: float = 0.02,
    tau_scale: float = 0.02,
) -> NextDataset:
    """P(the next dataset is worse, inside, better), by integrating the model on a grid.

    Args:
        effects: log of the ratio of the arm's mean to its reference's, one a dataset.
        errors: their standard errors.
        margin: log ratio that does not matter.
        tau_scale: scale of the prior on ``tau``, in units of ``effects``.

    Source: after Corani, Benavoli, Demšar, Mangili and Zaffalon (2017); the grid instead of a sampler is ours.

    Raises:
        ValueError: no dataset, an error that is not positive, or a margin or scale that is not.
    """
    if not len(effects) or errors.shape != effects.shape or not (np.isfinite(errors) & (errors > 0)).all():
        raise ValueError(f"each of at least one dataset needs a positive error, got {effects} and {errors}")
    if not np.isfinite(effects).all() or not (margin > 0 and tau_scale > 0):
        raise ValueError(f"effects must be finite, margin and tau_scale > 0, got {effects}, {margin}, {tau_scale}")
    taus = tau_scale * stats.halfnorm.ppf((np.arange(_TAUS) + 0.5) / _TAUS)  # equal prior mass each
    reach = 8 * float(errors.max()) + 6 * float(taus[-1]) + 4 * margin
    centre = (float(effects.min()) + float(effects.max())) / 2
    width = (float(effects.max()) - float(effects.min())) / 2 + reach
    mu = centre + np.linspace(-width, width, _STEPS)
    step = float(mu[1] - mu[0])
    likelihood = np.stack([_likelihood(mu, effects, errors, float(tau), step) for tau in taus])
    scaled = np.exp(likelihood - likelihood.max())
    posterior = scaled / scaled.sum()
    below = _next_below(mu, taus, posterior, -margin)
    above = 1 - _next_below(mu, taus, posterior, margin)
    return NextDataset(
        tau_scale,
        below,
        1 - below - above,
        above,
        float((posterior.sum(axis=0) * mu).sum()),
        float((posterior.sum(axis=1) * taus).sum()),
    )


def _likelihood(
    mu: Float[np.ndarray, " steps"],
    effects: Float[np.ndarray, " datasets"],
    errors: Float[np.ndarray, " datasets"],
    tau: float,
    step: float,
) -> Float[np.ndarray, " steps"]:
    """Log likelihood of ``mu``: for each dataset the density of a Student t plus a normal, by convolution."""
    total = np.zeros_like(mu)
    # The offsets reach over all differences of a mean and an effect, in steps of the grid.
    offsets = np.arange(-2 * len(mu), 2 * len(mu) + 1) * step
    between = np.diff(stats.t.cdf(np.append(offsets, offsets[-1] + step) - step / 2, FREEDOM, scale=tau))
    for effect, error in zip(effects, errors, strict=True):
        noise = np.diff(stats.norm.cdf(np.append(offsets, offsets[-1] + step) - step / 2, scale=error))
        density = signal.fftconvolve(between, noise, mode="same") / step
        total += np.log(np.maximum(np.interp(effect - mu, offsets, density), 1e-300))
    return total


def _next_below(
    mu: Float[np.ndarray, " steps"],
    taus: Float[np.ndarray, " taus"],
    posterior: Float[np.ndarray, "taus steps"],
    bound: float,
) -> float:
    return float((posterior * stats.t.cdf((bound - mu[None, :]) / taus[:, None], FREEDOM)).sum())

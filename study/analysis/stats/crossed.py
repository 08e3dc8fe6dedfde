"""Paired difference of two arms with crossed random users and seeds: effect, interval, p-value, variance components."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats

from study.analysis.stats.behrens_fisher import half_width, tail_probability


class Components(NamedTuple):
    """Variances of one user's difference in one seed; each is >= 0, in squared units of the metric.

    Attributes:
        user: what a user keeps over seeds.
        seed: what all users of a seed share.
        residual: user x seed, what neither explains.
    """

    user: float
    seed: float
    residual: float

    @property
    def total(self) -> float:
        """Variance of one user's difference in one seed."""
        return self.user + self.seed + self.residual


class CrossedEffect(NamedTuple):
    """A mean difference for users and seeds like these, not for these users and seeds only.

    Attributes:
        mean: mean over users and seeds.
        standard_error: of ``mean``, from all three components; NaN below 2 seeds or 2 users, like all that follows.
        df: Satterthwaite's degrees of freedom of ``standard_error``: a description, ``behrens_fisher.py`` has the test.
        low, high: the ``1 - alpha`` interval.
        p: two-sided p-value of "no difference".
        effect_size: ``mean`` over the standard deviation of one user's *difference* in one seed (a paired d);
            ``standardised_difference`` has the d of single responses.
        components: variance components.
        user_variance, seed_variance: the two parts of ``standard_error ** 2``: users, and seeds with the interaction.
        users_alone: half the width that the interval would have if seeds had no effect of their own.
        seeds, users: shape of the difference.
    """

    mean: float
    standard_error: float
    df: float
    low: float
    high: float
    p: float
    effect_size: float
    components: Components
    user_variance: float
    seed_variance: float
    users_alone: float
    seeds: int
    users: int


class MeanSquares(NamedTuple):
    """Mean and mean squares of the two-way layout users x seeds with one value per cell, one per batch entry."""

    mean: Float[np.ndarray, "*batch"]
    user: Float[np.ndarray, "*batch"]
    seed: Float[np.ndarray, "*batch"]
    residual: Float[np.ndarray, "*batch"]
    seeds: int
    users: int

    @property
    def user_variance(self) -> Float[np.ndarray, "*batch"]:
        """Users' part of the mean's variance, cut at 0."""
        return np.asarray(np.maximum(self.user - self.residual, 0.0) / (self.seeds * self.users))

    @property
    def seed_variance(self) -> Float[np.ndarray, "*batch"]:
        """Seeds' and the interaction's part of the mean's variance.

        Never below its floor, the residual alone, which thousands of degrees of freedom determine: what three seeds
        that happen to agree make of it is no knowledge.
        """
        return np.asarray(np.maximum(self.seed, self.residual) / (self.seeds * self.users))

    def users_alone(self, alpha: float) -> Float[np.ndarray, "*batch"]:
        """Half the width of the ``1 - alpha`` interval if seeds had no effect: users, and noise in each seed."""
        variance = self.user_variance + self.residual / (self.seeds * self.users)
        return np.asarray(stats.t.isf(alpha / 2, self.users - 1) * np.sqrt(variance))


def crossed_effect(difference: Float[np.ndarray, "seeds users"], *, alpha: float = 0.05) -> CrossedEffect:
    """Estimate the mean of a paired difference whose users and seeds are both samples.

    Model: ``difference[s, u] = effect + user[u] + seed[s] + residual[s, u]``. Components by analysis of variance; the
    variance of the mean is ``(MS_user - MS_residual + MS_seed) / (seeds * users)``.

    Source: Judd, Westfall and Kenny (2012); Searle, Casella and McCulloch (1992), chapter 4.

    Raises:
        ValueError: if the array is empty or holds NaN or infinite values.
    """
    seeds, users = difference.shape
    if difference.size == 0 or not np.isfinite(difference).all():
        raise ValueError(f"a difference must be finite and not empty, got shape {difference.shape}")
    if seeds < 2 or users < 2:
        nan = math.nan
        unknown = Components(nan, nan, nan)
        mean = float(difference.mean())
        return CrossedEffect(mean, nan, nan, nan, nan, nan, nan, unknown, nan, nan, nan, seeds, users)
    squares = mean_squares(difference.astype(np.float64))
    mean, user_variance, seed_variance = float(squares.mean), float(squares.user_variance), float(squares.seed_variance)
    components = Components(
        user=user_variance * users,
        seed=max(float(squares.seed - squares.residual), 0.0) / users,
        residual=float(squares.residual),
    )
    freedom = {"df": seeds - 1, "user_df": users - 1}
    width = float(half_width(user_variance, seed_variance, alpha=alpha, **freedom))
    spread = math.sqrt(components.total)
    return CrossedEffect(
        mean=mean,
        standard_error=math.sqrt(user_variance + seed_variance),
        df=float(satterthwaite(squares)),
        low=mean - width,
        high=mean + width,
        p=float(tail_probability(abs(mean), user_variance, seed_variance, **freedom)) if mean else 1.0,
        effect_size=mean / spread if spread else math.copysign(math.inf, mean) if mean else 0.0,
        components=components,
        user_variance=user_variance,
        seed_variance=seed_variance,
        users_alone=float(squares.users_alone(alpha)),
        seeds=seeds,
        users=users,
    )


def standardised_difference(base: Float[np.ndarray, "seeds users"], arm: Float[np.ndarray, "seeds users"]) -> float:
    """Mean difference over the standard deviation of one user's value in one seed, pooled over both arms.

    Source: Westfall, Kenny and Judd (2014), equation 1: variances of single responses, not of differences. NaN where
    every value is the same.
    """
    variance = (float(np.var(base, dtype=np.float64)) + float(np.var(arm, dtype=np.float64))) / 2
    difference = float(np.mean(arm, dtype=np.float64) - np.mean(base, dtype=np.float64))
    return difference / math.sqrt(variance) if variance > 0 else math.nan


def mean_squares(difference: Float[np.ndarray, "*batch seeds users"]) -> MeanSquares:
    """Analysis of variance of one difference or a batch of them (at least 2 seeds and 2 users)."""
    seeds, users = difference.shape[-2:]
    mean = difference.mean(axis=(-2, -1))
    centred = difference - mean[..., None, None]
    user, seed = centred.mean(axis=-2), centred.mean(axis=-1)
    residual = centred - user[..., None, :] - seed[..., :, None]
    return MeanSquares(
        mean=np.asarray(mean),
        user=np.asarray(seeds * np.square(user).sum(axis=-1) / (users - 1)),
        seed=np.asarray(users * np.square(seed).sum(axis=-1) / (seeds - 1)),
        residual=np.asarray(np.square(residual).sum(axis=(-2, -1)) / ((users - 1) * (seeds - 1))),
        seeds=seeds,
        users=users,
    )


def satterthwaite(squares: MeanSquares) -> Float[np.ndarray, "*batch"]:
    """Degrees of freedom of ``MS_user - MS_residual + MS_seed`` (Satterthwaite 1946), the user part cut at 0."""
    cells, df = squares.seeds * squares.users, squares.seeds - 1
    users = (squares.user**2 + squares.residual**2 / df) / (squares.users - 1)
    uncertainty = (squares.seed_variance * cells) ** 2 / df + np.where(squares.user_variance > 0, users, 0.0)
    total = (squares.user_variance + squares.seed_variance) * cells
    return np.asarray(np.divide(total**2, uncertainty, out=np.full_like(total, np.nan), where=uncertainty > 0))

"""Simulated paired differences with a known truth, for calibration and tests."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float
from scipy.special import expit

from study.analysis.stats.crossed import Components


def planted_components(*, users: int, seed_effect: float, interaction: float = 1.0) -> Components:
    """Components with user variance 1.

    Args:
        users: users of the design.
        seed_effect: standard deviation of the seed effect in user standard errors (of one seed's mean difference
            over its users).
        interaction: variance of user x seed.
    """
    return Components(user=1.0, seed=seed_effect**2 * (1 + interaction) / users, residual=interaction)


def simulate_differences(
    components: Components,
    *,
    seeds: int,
    users: int,
    replicates: int,
    rng: np.random.Generator,
    effect: float = 0.0,
    seed_df: float = math.inf,
) -> Float[np.ndarray, "replicates seeds users"]:
    """Draw differences of the crossed model with the given components and mean ``effect``.

    All parts are normal; a finite ``seed_df`` (> 2) gives seed effects the tails of Student's t, at the same variance.
    More than six parameters: the sizes of a simulation, by name.
    """
    user = rng.standard_normal((replicates, 1, users)) * math.sqrt(components.user)
    residual = rng.standard_normal((replicates, seeds, users)) * math.sqrt(components.residual)
    if math.isinf(seed_df):
        seed = rng.standard_normal((replicates, seeds, 1))
    else:
        seed = rng.standard_t(seed_df, (replicates, seeds, 1)) / math.sqrt(seed_df / (seed_df - 2))
    return effect + user + seed * math.sqrt(components.seed) + residual


def simulate_recall(
    *, arms: int, seeds: int, users: int, replicates: int, seed_effect: float, rng: np.random.Generator
) -> Float[np.ndarray, "arms replicates seeds users"]:
    """Draw recall of exchangeable arms: discrete, skewed, mostly 0 or 1; every difference of two arms has true mean 0.

    A user has 1 to 5 relevant items and a hit probability; each arm (2 or more) moves it per user, per seed and per
    user and seed, on the logit scale. ``seed_effect`` is the sd of the difference of two arms' seed effects in user
    standard errors.
    """
    relevant = rng.integers(1, 6, size=(replicates, 1, users))
    ability = rng.normal(-2.0, 1.2, size=(replicates, 1, users))
    taste = rng.normal(0.0, 0.3, size=(arms, replicates, 1, users))
    noise = rng.normal(0.0, 0.5, size=(arms, replicates, seeds, users))
    logit = ability + taste + noise
    # The mean moves by the mean slope of the logistic curve; a difference of two arms has twice the variance of one.
    probability = expit(logit[0])
    slope = float((probability * (1 - probability)).mean())
    single = rng.binomial(relevant, probability) / relevant - rng.binomial(relevant, expit(logit[-1])) / relevant
    seed_sd = seed_effect * float(single.std()) / math.sqrt(users) / math.sqrt(2) / slope
    seed = rng.normal(0.0, 1.0, size=(arms, replicates, seeds, 1)) * seed_sd
    return np.asarray(rng.binomial(relevant, expit(logit + seed)) / relevant)

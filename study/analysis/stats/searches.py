"""The difference of re-tuned arms: searches are a sample too, beside seeds and users.

One search gives an arm one configuration; another search with other sampler seeds gives another. A claim about the
arm, and not about two configurations, needs several independent searches of each arm.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from study.analysis.stats.crossed import mean_squares

LEAST_SEARCHES = 3


class SearchedEffect(NamedTuple):
    """A mean difference for searches, seeds and users like these.

    Attributes:
        mean: over searches, seeds and users.
        user_variance: the users' part of its variance.
        seed_variance: the searches' and the seeds' part.
        df: degrees of freedom of ``seed_variance``, a whole number, rounded down.
        search_sd: standard deviation between searches of the mean difference, beyond what the seeds explain.
        searches, seeds, users: sizes.
    """

    mean: float
    user_variance: float
    seed_variance: float
    df: int
    search_sd: float
    searches: int
    seeds: int
    users: int


def searched_effect(difference: Float[np.ndarray, "searches seeds users"]) -> SearchedEffect:
    """Estimate the mean of a difference whose searches, seeds and users are all samples.

    Every search of an arm is run on the same fresh seeds. Search ``q`` of the arm is paired with search ``q`` of its
    reference, which are independent, so the pairing is arbitrary and harmless. The mean over seeds gives a matrix of
    searches and users: its mean square between searches holds the searches' variance. What all searches share of a seed
    is not in there, so the seeds' mean square above chance is added.

    Source: Searle, Casella and McCulloch (1992), chapter 4, for the mean squares; Satterthwaite (1946) for ``df``.

    Raises:
        ValueError: fewer than 3 searches, or fewer than 2 seeds or users, or values that are not finite.
    """
    searches, seeds, users = difference.shape
    if searches < LEAST_SEARCHES or seeds < 2 or users < 2:
        raise ValueError(
            f"searches are a sample from {LEAST_SEARCHES} on, with 2 seeds and 2 users, got shape {difference.shape}"
        )
    if not np.isfinite(difference).all():
        raise ValueError("a difference must be finite")
    by_search = mean_squares(difference.mean(axis=1).astype(np.float64))
    by_seed = mean_squares(difference.mean(axis=0).astype(np.float64))
    cells = searches * users
    residual = float(by_search.residual)
    user_variance = max(float(by_search.user) - residual, 0.0) / cells
    from_searches = max(float(by_search.seed), residual) / cells
    above_chance = max(float(by_seed.seed) - float(by_seed.residual), 0.0) / (seeds * users)
    seed_variance = from_searches + above_chance
    uncertainty = from_searches**2 / (searches - 1) + above_chance**2 / (seeds - 1)
    df = math.floor(seed_variance**2 / uncertainty + 1e-9) if uncertainty > 0 else searches - 1
    between = max(float(by_search.seed) - residual, 0.0) / users
    return SearchedEffect(
        float(difference.mean(dtype=np.float64)),
        user_variance,
        seed_variance,
        df,
        math.sqrt(between),
        searches,
        seeds,
        users,
    )

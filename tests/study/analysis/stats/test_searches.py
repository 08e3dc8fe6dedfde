"""The search as a random factor."""

from __future__ import annotations

import math

import numpy as np
import pytest

from study.analysis.stats.behrens_fisher import tail_probability
from study.analysis.stats.crossed import crossed_effect
from study.analysis.stats.searches import searched_effect


def drawn(rng: np.random.Generator, search: float, seed: float, *, searches: int = 4, seeds: int = 5) -> np.ndarray:
    users = 150
    shape = (searches, seeds, users)
    user = rng.standard_normal((1, 1, users))
    parts = search * rng.standard_normal((searches, 1, 1)) + seed * rng.standard_normal((1, seeds, 1))
    return np.asarray(parts + user + rng.standard_normal(shape))


def test_without_seed_effects_it_is_the_crossed_effect_of_searches_and_users() -> None:
    difference = np.repeat(drawn(np.random.default_rng(0), 0.3, 0.0)[:, :1], 5, axis=1)
    effect, plain = searched_effect(difference), crossed_effect(difference[:, 0])
    assert effect.mean == pytest.approx(plain.mean)
    assert effect.user_variance == pytest.approx(plain.user_variance)
    assert effect.df == 3


@pytest.mark.parametrize(("search", "seed"), [(0.3, 0.0), (0.0, 0.3), (0.2, 0.2), (0.0, 0.0)])
def test_true_nulls_are_rejected_at_their_level(search: float, seed: float) -> None:
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(500):
        effect = searched_effect(drawn(rng, search, seed))
        p = tail_probability(
            abs(effect.mean), effect.user_variance, effect.seed_variance, df=effect.df, user_df=effect.users - 1
        )
        wrong += float(p) < 0.05
    assert wrong / 500 < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 500)


def test_ignoring_the_searches_rejects_too_much() -> None:
    rng = np.random.default_rng(2)
    wrong = sum(crossed_effect(drawn(rng, 0.3, 0.0, searches=1)[0]).p < 0.05 for _ in range(80))
    assert wrong / 80 > 0.3


def test_the_spread_between_searches_is_recovered() -> None:
    rng = np.random.default_rng(3)
    variances = [searched_effect(drawn(rng, 0.5, 0.1, searches=6)).search_sd ** 2 for _ in range(200)]
    assert np.mean(variances) == pytest.approx(0.25, rel=0.15)


def test_fewer_than_three_searches_are_refused() -> None:
    with pytest.raises(ValueError, match="from 3 on"):
        searched_effect(np.zeros((2, 5, 10)))

"""Ratios of mean squares moderated over arms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study.analysis.stats.moderation import moderate_ratios


def five(count: int, seeds: int = 5) -> np.ndarray:
    return np.full(count, seeds)


def test_a_hand_computed_family() -> None:
    # F0 = (2 + 4 + 6 + 8) / 4 = 5; (4 * 5 + 4 * 2) / 8 = 3.5, and so on.
    moderated = moderate_ratios(np.array([2.0, 4.0, 6.0, 8.0]), five(4))
    assert moderated.mean == 5.0
    assert moderated.ratio.tolist() == [3.5, 4.5, 5.5, 6.5]


def test_it_equals_the_posterior_variance_of_limma() -> None:
    # squeezeVar(var, df): var.post = (df * var + df.prior * var.prior) / (df + df.prior) (limma 3, squeezeVar.R);
    # here with df.prior = 4 and var.prior the mean.
    variances = np.random.default_rng(0).gamma(4, 2, size=9) + 1
    expected = (9 * variances + 4 * variances.mean()) / (9 + 4)
    assert moderate_ratios(variances, five(9, 10)).ratio == pytest.approx(expected)


def test_an_arm_alone_is_left_as_it_is_with_its_own_degrees_of_freedom() -> None:
    moderated = moderate_ratios(np.array([3.0]), five(1))
    assert moderated.ratio.tolist() == [3.0]
    assert moderated.df.tolist() == [4]


def test_many_arms_give_four_more_degrees_of_freedom_and_few_give_fewer() -> None:
    assert moderate_ratios(np.full(9, 3.0), five(9)).df.tolist() == [8] * 9
    # Three arms: weights 2/3 and twice 1/6; 4 / (.75 * (4/9 + 2/36) + .25) = 6.4, rounded down.
    assert moderate_ratios(np.full(3, 3.0), five(3)).df.tolist() == [6] * 3


def test_the_degrees_of_freedom_are_those_of_simulated_ratios() -> None:
    rng = np.random.default_rng(1)
    arms, seeds, families = 5, 5, 40_000
    # Differences to a shared reference: seed effects correlate at 1/2.
    effects = rng.standard_normal((families, 1, seeds)) + rng.standard_normal((families, arms, seeds))
    ratios = 50 * effects.var(axis=-1, ddof=1) / 2  # far from the floor
    own, mean = ratios[:, 0], ratios.mean(axis=1)
    moderated = (4 * mean + 4 * own) / 8
    df = 2 * moderated.mean() ** 2 / moderated.var()
    ours = moderate_ratios(ratios[0], five(arms))
    assert ours.ratio[0] == pytest.approx(moderated[0])
    assert ours.df[0] <= df < ours.df[0] + 1.3


def test_arms_without_a_ratio_take_no_part() -> None:
    moderated = moderate_ratios(np.array([2.0, np.nan, 4.0]), five(3))
    assert moderated.mean == 3.0
    assert np.isnan(moderated.ratio[1])
    assert moderated.df[1] == 4
    none = moderate_ratios(np.array([np.nan]), five(1))
    assert np.isnan(none.mean)
    assert none.df.tolist() == [4]


def test_arms_with_more_seeds_weigh_more() -> None:
    moderated = moderate_ratios(np.array([2.0, 8.0]), np.array([3, 5]))
    assert moderated.mean == pytest.approx((2 * 2 + 4 * 8) / 6)


@settings(deadline=None)
@given(st.lists(st.floats(0, 100), min_size=1, max_size=9), st.integers(2, 20))
def test_it_never_falls_below_its_floor_nor_leaves_the_range_of_the_ratios(values: list[float], seeds: int) -> None:
    moderated = moderate_ratios(np.array(values), np.full(len(values), seeds))
    assert (moderated.ratio >= 1).all()
    assert (moderated.ratio <= max(1.0, *values) * (1 + 1e-12)).all()
    assert ((seeds - 1 <= moderated.df) & (moderated.df <= seeds + 3)).all()


def test_impossible_ratios_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 seeds"):
        moderate_ratios(np.array([1.0]), np.array([1]))
    with pytest.raises(ValueError, match=">= 0"):
        moderate_ratios(np.array([-1.0]), np.array([3]))

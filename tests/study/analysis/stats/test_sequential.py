"""Group-sequential looks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from study.analysis.stats.sequential import (
    level_at_look,
    nominal_levels,
    planned_looks,
    sequential_p,
    spent,
    user_limited,
)


def levels(alpha: float, fractions: list[float], information: list[float] | None = None) -> list[float]:
    return nominal_levels(np.array([alpha]), fractions, information or fractions)[0].tolist()


def test_looks_double_from_ten_seeds_to_the_most() -> None:
    assert planned_looks(40) == (10, 20, 40)
    assert planned_looks(10) == (10,)
    assert planned_looks(5) == (5,)
    assert planned_looks(25) == (10, 20, 25)
    with pytest.raises(ValueError, match="at least 2 seeds"):
        planned_looks(1)


def test_the_spending_of_the_specification() -> None:
    shares = [spent(0.05, fraction) for fraction in (0.25, 0.5, 1.0)]
    assert np.diff([0, *shares]) == pytest.approx([0.0179, 0.0131, 0.0190], abs=5e-5)
    with pytest.raises(ValueError, match=r"in 0\.\.1"):
        spent(0.05, 1.1)


def test_levels_equal_those_of_rpact() -> None:
    # rpact 3, tests of getDesignGroupSequential(kMax = 3, alpha = 0.13, typeOfDesign = "asP",
    # informationRates = c(0.35, 0.7, 1), bindingFutility = FALSE, ...): stageLevels.
    assert levels(0.13, [0.35, 0.7, 1.0]) == pytest.approx([0.061214062, 0.069054712, 0.071869812], abs=1e-8)
    # getDesignGroupSequential(informationRates = c(0.4, 0.7), typeOfDesign = "asP"), alpha 0.025: stageLevels.
    assert levels(0.025, [0.4, 0.7]) == pytest.approx([0.013078429, 0.010581057], abs=1e-8)


def test_levels_hold_on_simulated_looks() -> None:
    rng = np.random.default_rng(0)
    user, seed = 0.3, 20.0  # variances of the users' part, and of one seed
    looks = (10, 20, 40)
    families = 200_000
    common = rng.standard_normal(families) * math.sqrt(user)
    steps = [rng.standard_normal(families) * math.sqrt(seed * n) for n in np.diff([0, *looks])]
    variances = [user + seed / look for look in looks]
    crossed = np.zeros(families, dtype=bool)
    limits = levels(0.05, [0.25, 0.5, 1.0], [1 / variance for variance in variances])
    for look, total, variance, limit in zip(looks, np.cumsum(steps, axis=0), variances, limits, strict=True):
        crossed |= (common + total / look) / math.sqrt(variance) > stats.norm.isf(limit)
    assert crossed.mean() == pytest.approx(0.05, abs=0.0015)


def test_looks_that_add_no_information_cost_nothing() -> None:
    # Estimates that correlate almost perfectly are one look; the last level comes close to the whole.
    assert levels(0.05, [0.25, 0.5, 1.0], [1.0, 1.001, 1.002])[-1] > 0.045


def test_a_single_look_is_the_ordinary_test() -> None:
    assert sequential_p([0.03], [1.0], [2.0]) == 0.03
    assert level_at_look(0.03, [1.0], [2.0]) == 0.03


def test_the_sequential_p_value_rejects_exactly_when_a_look_crosses_its_level() -> None:
    fractions, information = [0.25, 0.5, 1.0], [1.0, 2.0, 4.0]
    for alpha in (0.001, 0.0083, 0.05):
        limits = levels(alpha, fractions, information)
        for look in range(3):
            below = [0.9] * look + [limits[look] * 0.99]
            above = [0.9] * look + [limits[look] * 1.01]
            assert sequential_p(below, fractions[: look + 1], information[: look + 1]) < alpha
            assert sequential_p(above, fractions[: look + 1], information[: look + 1]) > alpha
        assert level_at_look(alpha, fractions, information) == pytest.approx(limits[-1], rel=1e-3)


def test_what_an_early_look_has_rejected_stays_rejected() -> None:
    early = sequential_p([1e-4], [0.25], [1.0])
    later = sequential_p([1e-4, 0.5], [0.25, 0.5], [1.0, 2.0])
    assert later == early > 1e-4


def test_extreme_p_values_stay_ordered_and_within_bounds() -> None:
    tiny = [sequential_p([p], [0.25], [1.0]) for p in (0.0, 1e-30, 1e-12, 1e-3, 0.9999)]
    assert tiny == sorted(tiny)
    assert tiny[0] == 0.0
    assert tiny[-1] == 1.0
    assert math.isnan(sequential_p([math.nan, 0.1], [0.25, 0.5], [1.0, 2.0]))
    assert level_at_look(0.0, [0.25], [1.0]) == 0.0


def test_users_may_be_too_few_whatever_the_seeds() -> None:
    # (1.96 + 0.84) * 1 = 2.80
    assert user_limited(1.0, 2.79, alpha=0.025)
    assert not user_limited(1.0, 2.81, alpha=0.025)
    assert user_limited(1.0, 100.0, alpha=0.0)


def test_impossible_designs_are_refused() -> None:
    for alpha, fractions, information in (
        ([1.5], [1.0], [1.0]),
        ([0.05], [0.5, 0.5], [1.0, 2.0]),
        ([0.05], [0.5, 1.0], [2.0, 1.0]),
        ([0.05], [0.5], [1.0, 2.0]),
        ([0.05], [0.5, 1.5], [1.0, 2.0]),
    ):
        with pytest.raises(ValueError, match="got"):
            nominal_levels(np.array(alpha), fractions, information)

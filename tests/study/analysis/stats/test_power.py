"""Minimum detectable effects and power."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from study.analysis.stats.crossed import Components
from study.analysis.stats.power import detection_power, minimum_detectable_effect

COMPONENTS = Components(user=1.0, seed=0.002, residual=1.0)


@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
def test_the_minimum_detectable_effect_has_the_power_asked_for(power: float) -> None:
    mde = minimum_detectable_effect(COMPONENTS, seeds=3, users=500, power=power)
    assert detection_power(mde, COMPONENTS, seeds=3, users=500) == pytest.approx(power, abs=1e-6)


def test_power_equals_the_noncentral_t_where_only_seeds_vary() -> None:
    # scipy's noncentral t with 4 degrees of freedom: the textbook power of a t test over 5 seeds.
    components = Components(user=0.0, seed=1.0, residual=0.0)
    critical, shift = stats.t.isf(0.025, 4), 2.0 * math.sqrt(5)
    expected = stats.nct.sf(critical, 4, shift) + stats.nct.cdf(-critical, 4, shift)
    assert detection_power(2.0, components, seeds=5, users=100) == pytest.approx(expected, abs=2e-4)


def test_power_equals_the_z_test_where_seeds_change_nothing() -> None:
    components = Components(user=1.0, seed=0.0, residual=0.0)
    expected = stats.norm.sf(stats.norm.isf(0.025) - 2.5) + stats.norm.cdf(-stats.norm.isf(0.025) - 2.5)
    assert detection_power(2.5 / 1000, components, seeds=3, users=10**6) == pytest.approx(expected, abs=1e-4)


def test_more_seeds_more_users_and_a_laxer_level_each_detect_less() -> None:
    base = minimum_detectable_effect(COMPONENTS, seeds=3, users=500)
    assert minimum_detectable_effect(COMPONENTS, seeds=5, users=500) < base
    assert minimum_detectable_effect(COMPONENTS, seeds=3, users=1000) < base
    assert minimum_detectable_effect(COMPONENTS, seeds=3, users=500, alpha=0.1) < base


def test_arms_that_never_differ_detect_anything() -> None:
    assert minimum_detectable_effect(Components(0.0, 0.0, 0.0), seeds=3, users=10) == 0.0


def test_unknown_components_give_no_prediction() -> None:
    assert math.isnan(minimum_detectable_effect(Components(math.nan, 1.0, 1.0), seeds=1, users=10))


def test_a_design_of_one_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 seeds and 2 users, got 1 and 500"):
        minimum_detectable_effect(COMPONENTS, seeds=1, users=500)

"""The promises of the crossed test, on simulated differences whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from study.analysis.stats import calibration
from study.analysis.stats.crossed import crossed_effect, mean_squares
from study.analysis.stats.simulate import planted_components, simulate_differences, simulate_recall

GRID = [(seeds, effect) for seeds in (3, 5, 10) for effect in (0.0, 1.0, 2.0)]


def kept(rate: float, level: float, replicates: int) -> bool:
    """Whether a rate is no higher than 99.9 % of the rates of a test at that level; the floor makes it lower."""
    return bool(rate <= stats.binom.ppf(0.9995, replicates, level) / replicates)


def test_the_calibration_measures_the_very_test_that_tables_use() -> None:
    rng = np.random.default_rng(0)
    components = planted_components(users=60, seed_effect=1.0)
    differences = simulate_differences(components, seeds=3, users=60, replicates=5, rng=rng)
    squares = mean_squares(differences)
    for row, difference in enumerate(differences):
        effect = crossed_effect(difference)
        assert float(calibration.crossed_p(squares)[row]) == pytest.approx(effect.p)
        assert float(squares.user_variance[row] + squares.seed_variance[row]) == pytest.approx(effect.standard_error**2)


def test_a_true_null_is_rejected_at_its_level_where_the_usual_test_is_not() -> None:
    components = planted_components(users=300, seed_effect=2.0)
    rng = np.random.default_rng(1)
    errors = calibration.null_errors(components, seeds=3, users=300, replicates=2000, rng=rng)
    assert kept(errors.crossed, 0.05, 2000)
    assert errors.users_only > 0.2


def test_simulated_recall_is_discrete_and_its_arms_are_exchangeable() -> None:
    rng = np.random.default_rng(2)
    values = simulate_recall(arms=2, seeds=3, users=200, replicates=40, seed_effect=1.0, rng=rng)
    assert set(np.unique(np.round(values * 60)).tolist()) <= set(range(61))
    assert np.mean(values == 0) > 0.5
    assert abs(values[1].mean() - values[0].mean()) < 0.005


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "effect"), GRID)
@pytest.mark.parametrize("interaction", [0.25, 1.0, 4.0])
def test_false_positives_keep_their_level(seeds: int, effect: float, interaction: float) -> None:
    components = planted_components(users=2000, seed_effect=effect, interaction=interaction)
    rng = np.random.default_rng(3)
    errors = calibration.null_errors(components, seeds=seeds, users=2000, replicates=1000, rng=rng)
    assert kept(errors.crossed, 0.05, 1000)


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "effect"), GRID)
def test_the_predicted_effect_is_found_in_four_of_five_and_covered(seeds: int, effect: float) -> None:
    components = planted_components(users=2000, seed_effect=effect)
    rng = np.random.default_rng(4)
    check = calibration.power_check(components, seeds=seeds, users=2000, replicates=2000, rng=rng, pilots=2)
    assert abs(check.power - 0.8) < 0.05
    assert check.coverage >= 0.93


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "effect"), GRID)
def test_recall_shaped_values_are_rejected_at_their_level(seeds: int, effect: float) -> None:
    rng = np.random.default_rng(5)
    errors = calibration.recall_errors(seed_effect=effect, seeds=seeds, users=2000, replicates=1000, rng=rng)
    assert kept(errors.crossed, 0.05, 1000)


@pytest.mark.slow
def test_a_planted_interaction_is_recovered_and_absent_main_effects_are_not_found() -> None:
    components = planted_components(users=2000, seed_effect=1.0)
    rng = np.random.default_rng(6)
    check = calibration.interaction_check(components, seeds=5, users=2000, replicates=1000, rng=rng)
    assert check.recovered == pytest.approx(check.planted, rel=0.03)
    assert check.coverage >= 0.93
    assert abs(check.power - 0.8) < 0.05
    assert kept(check.main_error, 0.05, 2000)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_differences_at_the_margin_are_rarely_called_equivalent(seeds: int) -> None:
    components = planted_components(users=2000, seed_effect=1.0)
    rng = np.random.default_rng(7)
    assert calibration.equivalence_error(components, seeds=seeds, users=2000, replicates=1000, rng=rng) < 0.065


@pytest.mark.slow
@pytest.mark.parametrize("effect", [0.0, 1.0, 2.0])
def test_holm_over_a_family_at_three_seeds_keeps_close_to_its_level(effect: float) -> None:
    components = planted_components(users=500, seed_effect=effect)
    rng = np.random.default_rng(8)
    crossed, naive = calibration.family_error(
        components, arms=9, metrics=4, seeds=3, users=500, replicates=500, rng=rng
    )
    assert crossed < 0.08
    assert effect < 2 or naive > 0.15  # what the far tail of Satterthwaite's t would have done

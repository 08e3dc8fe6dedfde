"""The crossed random-effects estimate of a paired difference."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.anova import anova_lm

from study.analysis.stats.crossed import Components, crossed_effect, mean_squares, standardised_difference
from study.analysis.stats.simulate import simulate_differences


def crossed_difference(seed: int, *, seeds: int = 4, users: int = 30, scale: float = 1.0) -> np.ndarray:
    components = Components(user=1.0, seed=0.2, residual=1.5)
    rng = np.random.default_rng(seed)
    return scale * simulate_differences(components, seeds=seeds, users=users, replicates=1, rng=rng, effect=0.3)[0]


def long_table(difference: np.ndarray) -> pd.DataFrame:
    seed, user = np.indices(difference.shape)
    return pd.DataFrame({"y": difference.ravel(), "seed": seed.ravel(), "user": user.ravel()})


def test_mean_squares_equal_a_two_way_analysis_of_variance() -> None:
    difference = crossed_difference(0, users=6)
    table = anova_lm(smf.ols("y ~ C(user) + C(seed)", long_table(difference)).fit())
    expected = (table["sum_sq"] / table["df"]).to_numpy()
    squares = mean_squares(difference)
    assert [squares.user, squares.seed, squares.residual] == pytest.approx(expected.tolist(), rel=1e-9)


def test_components_and_standard_error_equal_reml_where_all_components_are_positive() -> None:
    # In a balanced design restricted maximum likelihood and the method of moments agree exactly there.
    difference = crossed_difference(3, seeds=5, users=12)
    table = long_table(difference)
    parts = {"user": "0 + C(user)", "seed": "0 + C(seed)"}
    reml = smf.mixedlm("y ~ 1", table, groups=np.ones(len(table)), vc_formula=parts).fit(reml=True, method="powell")
    effect = crossed_effect(difference)
    variance = dict(zip(reml.model.exog_vc.names, reml.vcomp, strict=True))
    assert effect.components.user == pytest.approx(variance["user"], rel=2e-3)
    assert effect.components.seed == pytest.approx(variance["seed"], rel=2e-3)
    assert effect.components.residual == pytest.approx(reml.scale, rel=2e-3)
    assert effect.standard_error == pytest.approx(reml.bse["Intercept"], rel=2e-3)


def test_without_user_effects_it_is_the_paired_t_test_over_seeds() -> None:
    by_seed = np.array([0.3, -0.1, 0.4, 0.25])
    effect = crossed_effect(np.repeat(by_seed[:, None], 50, axis=1))
    expected = stats.ttest_1samp(by_seed, 0.0)
    assert effect.p == pytest.approx(expected.pvalue, rel=1e-6)
    assert (effect.low, effect.high) == pytest.approx(tuple(expected.confidence_interval()), rel=1e-6)
    assert effect.df == pytest.approx(3)


def test_where_seeds_change_nothing_it_is_the_paired_t_test_over_users() -> None:
    by_user = np.random.default_rng(1).normal(0.4, 1.0, size=15)
    effect = crossed_effect(np.tile(by_user, (3, 1)))
    expected = stats.ttest_1samp(by_user, 0.0)
    assert effect.p == pytest.approx(expected.pvalue, rel=1e-6)
    assert (effect.low, effect.high) == pytest.approx(tuple(expected.confidence_interval()), rel=1e-6)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.sampled_from([2, 3, 7]), st.floats(1e-6, 1e6))
def test_order_does_not_matter_sign_flips_and_units_scale(seed: int, seeds: int, scale: float) -> None:
    difference = crossed_difference(seed, seeds=seeds)
    effect = crossed_effect(difference)
    rng = np.random.default_rng(seed)
    shuffled = crossed_effect(rng.permutation(rng.permutation(difference, axis=0), axis=1))
    flipped = crossed_effect(-scale * difference)
    assert (shuffled.mean, shuffled.low, shuffled.p) == pytest.approx((effect.mean, effect.low, effect.p), rel=1e-7)
    assert flipped.p == pytest.approx(effect.p, rel=1e-7)
    assert flipped.effect_size == pytest.approx(-effect.effect_size, rel=1e-9)
    assert (flipped.low, flipped.high) == pytest.approx((-scale * effect.high, -scale * effect.low), rel=1e-7)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.floats(-1, 1), st.sampled_from([0.1, 0.05, 0.001]))
def test_the_interval_leaves_out_zero_exactly_when_p_is_below_alpha(seed: int, shift: float, alpha: float) -> None:
    effect = crossed_effect(crossed_difference(seed, seeds=3) + shift, alpha=alpha)
    assert (effect.low > 0 or effect.high < 0) == (effect.p < alpha)


def test_no_interval_is_narrower_than_users_alone_would_make_it() -> None:
    noise = np.random.default_rng(2).standard_normal((3, 200))
    agreeing = noise - 0.9 * noise.mean(axis=1, keepdims=True) + 0.1
    effect = crossed_effect(agreeing)
    users_alone = stats.t.isf(0.025, 199) * np.sqrt(effect.components.user / 200 + effect.components.residual / 600)
    assert effect.users_alone == pytest.approx(users_alone)
    assert mean_squares(agreeing).seed < mean_squares(agreeing).residual
    assert effect.seed_variance == pytest.approx(effect.components.residual / 600)
    assert (effect.high - effect.low) / 2 >= users_alone


def test_the_standardised_difference_is_that_of_single_responses() -> None:
    # Means 1 and 3, every response at 1 from its mean: variance 1 in either arm.
    base, arm = np.array([[0.0, 2.0], [2.0, 0.0]]), np.array([[2.0, 4.0], [4.0, 2.0]])
    assert standardised_difference(base, arm) == pytest.approx(2.0)
    assert np.isnan(standardised_difference(np.ones((2, 2)), np.ones((2, 2))))


def test_seeds_that_agree_to_the_last_bit_are_no_proof_that_seeds_do_not_matter() -> None:
    # 120 users with one relevant item: every seed loses one user and wins two others, so that all means are 1 / 120.
    difference = np.zeros((3, 120))
    for seed in range(3):
        difference[seed, 3 * seed : 3 * seed + 3] = [-1.0, 1.0, 1.0]
    effect = crossed_effect(difference)
    assert np.ptp(difference.mean(axis=1)) == 0
    assert effect.mean == pytest.approx(1 / 120)
    assert effect.seed_variance == pytest.approx(effect.components.residual / 360)
    assert effect.low < 0 < effect.high
    assert effect.p > 0.05


def test_planted_components_are_recovered() -> None:
    components = Components(user=2.0, seed=0.5, residual=1.0)
    rng = np.random.default_rng(5)
    squares = mean_squares(simulate_differences(components, seeds=20, users=200, replicates=200, rng=rng, effect=0.1))
    assert squares.mean.mean() == pytest.approx(0.1, abs=0.04)
    assert squares.user_variance.mean() * 200 == pytest.approx(2.0, rel=0.03)
    assert ((squares.seed - squares.residual) / 200).mean() == pytest.approx(0.5, rel=0.08)
    assert squares.residual.mean() == pytest.approx(1.0, rel=0.01)


def test_a_negative_component_is_reported_as_zero() -> None:
    difference = np.array([[1.0, -1.0], [-1.0, 1.0]])  # user and seed means are all 0
    assert crossed_effect(difference).components == Components(user=0.0, seed=0.0, residual=4.0)


@pytest.mark.parametrize("shape", [(1, 40), (3, 1), (1, 1)])
def test_one_seed_or_one_user_gives_a_mean_and_nothing_else(shape: tuple[int, int]) -> None:
    effect = crossed_effect(np.full(shape, 0.25))
    assert effect.mean == 0.25
    assert all(math.isnan(v) for v in (effect.standard_error, effect.low, effect.p, *effect.components))


def test_arms_that_never_differ_differ_by_exactly_zero() -> None:
    effect = crossed_effect(np.zeros((3, 10)))
    assert (effect.mean, effect.low, effect.high, effect.p, effect.effect_size) == (0.0, 0.0, 0.0, 1.0, 0.0)


@pytest.mark.parametrize("bad", [np.full((3, 4), np.nan), np.full((3, 4), np.inf), np.empty((0, 4))])
def test_values_that_are_not_finite_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="finite and not empty"):
        crossed_effect(bad)

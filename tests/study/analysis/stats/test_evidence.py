"""Evidence with moderated seed variances."""

from __future__ import annotations

import math

import numpy as np
import pytest

from study.analysis.stats.behrens_fisher import tail_probability
from study.analysis.stats.crossed import crossed_effect, mean_squares
from study.analysis.stats.evidence import gather_evidence
from study.analysis.stats.simulate import planted_components, simulate_differences


def drawn(arms: int, seed_effect: float = 2.0, *, seeds: int = 5, users: int = 300) -> np.ndarray:
    components = planted_components(users=users, seed_effect=seed_effect)
    rng = np.random.default_rng(0)
    return simulate_differences(components, seeds=seeds, users=users, replicates=arms, rng=rng)


def test_an_arm_alone_has_the_variance_of_the_crossed_test() -> None:
    (difference,) = drawn(1)
    (evidence,) = gather_evidence([difference], [0.1])
    effect = crossed_effect(difference)
    assert (evidence.mean, evidence.user_variance, evidence.seed_variance) == pytest.approx(
        (effect.mean, effect.user_variance, effect.seed_variance)
    )
    p = tail_probability(
        abs(evidence.mean), evidence.user_variance, evidence.seed_variance, df=evidence.df, user_df=evidence.user_df
    )
    assert float(p) == pytest.approx(effect.p)
    assert evidence.margin == 0.1


def test_the_seeds_part_is_the_moderated_ratio_times_the_residual() -> None:
    differences = drawn(3)
    squares = mean_squares(differences)
    ratios = squares.seed / squares.residual
    expected = (4 * ratios.mean() + 4 * ratios) / 8 * squares.residual / (5 * 300)
    evidence = gather_evidence(list(differences), [0.1] * 3)
    assert [each.seed_variance for each in evidence] == pytest.approx(expected.tolist())
    assert [each.df for each in evidence] == [6] * 3


def test_no_variance_lies_below_what_users_and_residual_make_it() -> None:
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((5, 300))
    agreeing = noise - noise.mean(axis=1, keepdims=True)  # all seeds have the same mean
    (evidence,) = gather_evidence([agreeing], [0.1])
    assert evidence.seed_variance == pytest.approx(float(mean_squares(agreeing).residual) / 1500)


def test_a_seed_alone_has_no_variance_and_does_not_disturb_the_others() -> None:
    first, second = drawn(2)
    evidence = gather_evidence([first, first[:1], second], [0.1] * 3)
    assert math.isnan(evidence[1].seed_variance)
    assert evidence[1].mean == pytest.approx(first[0].mean())
    assert [evidence[0], evidence[2]] == gather_evidence([first, second], [0.1] * 2)


def test_identical_arms_have_no_variance() -> None:
    (evidence,) = gather_evidence([np.zeros((5, 10))], [0.1])
    assert (evidence.mean, evidence.user_variance, evidence.seed_variance, evidence.df) == (0.0, 0.0, 0.0, 4)


def test_differences_without_a_margin_or_a_value_are_refused() -> None:
    with pytest.raises(ValueError, match="needs a margin"):
        gather_evidence([np.zeros((2, 2))], [])
    with pytest.raises(ValueError, match="finite"):
        gather_evidence([np.full((2, 2), np.nan)], [0.1])

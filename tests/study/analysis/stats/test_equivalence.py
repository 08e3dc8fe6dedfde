"""Two one-sided tests."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.weightstats import DescrStatsW

from study.analysis.stats.crossed import crossed_effect
from study.analysis.stats.equivalence import equivalence_test
from tests.study.analysis.stats.test_crossed import crossed_difference


@pytest.mark.parametrize("margin", [0.05, 0.3, 0.6, 1.5])
def test_where_seeds_change_nothing_it_is_the_textbook_tost_over_users(margin: float) -> None:
    by_user = np.random.default_rng(1).normal(0.2, 1.0, size=40)
    expected = DescrStatsW(by_user).ttost_mean(-margin, margin)[0]
    actual = equivalence_test(crossed_effect(np.tile(by_user, (3, 1))), margin=margin)
    assert actual.p == pytest.approx(expected, rel=1e-5)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.floats(0.01, 3.0))
def test_equivalent_means_that_the_ninety_percent_interval_lies_inside_the_margin(seed: int, margin: float) -> None:
    equivalence = equivalence_test(crossed_effect(crossed_difference(seed, seeds=3)), margin=margin)
    assert (equivalence.p < 0.05) == (-margin < equivalence.low and equivalence.high < margin)


def test_a_wider_margin_is_easier_to_meet() -> None:
    effect = crossed_effect(crossed_difference(2))
    p = [equivalence_test(effect, margin=margin).p for margin in (0.1, 0.5, 1.0, 3.0)]
    assert p == sorted(p, reverse=True)


def test_arms_that_never_differ_are_equivalent() -> None:
    assert equivalence_test(crossed_effect(np.zeros((3, 10))), margin=1e-9).p == 0.0


def test_one_seed_cannot_show_equivalence() -> None:
    assert math.isnan(equivalence_test(crossed_effect(np.zeros((1, 10))), margin=0.1).p)


@pytest.mark.parametrize("margin", [0.0, -0.1, math.nan])
def test_a_margin_that_is_not_positive_is_refused(margin: float) -> None:
    with pytest.raises(ValueError, match="margin must be > 0"):
        equivalence_test(crossed_effect(np.zeros((3, 10))), margin=margin)

"""Ranks over datasets."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sea_core.errors import UserError
from study.analysis.stats.ranks import critical_difference, iman_davenport


@pytest.mark.parametrize(("arms", "quantile"), [(3, 2.343), (4, 2.569), (5, 2.728), (10, 3.164)])
def test_the_critical_difference_uses_demsars_quantiles(arms: int, quantile: float) -> None:
    # Table 5 of Demsar (2006), alpha = 0.05.
    scores = np.random.default_rng(0).random((12, arms))
    expected = quantile * math.sqrt(arms * (arms + 1) / (6 * 12))
    assert critical_difference(scores).difference == pytest.approx(expected, rel=5e-4)


def test_iman_davenports_statistic_is_that_of_demsar() -> None:
    # Demsar (2006), section 3.2.3: chi2 = 9.28 with 14 datasets and 4 arms gives F = 3.69; the critical value of F at
    # 3 and 39 degrees of freedom is 2.85.
    statistic, p = iman_davenport(9.28, datasets=14, arms=4)
    assert statistic == pytest.approx(3.69, abs=0.005)
    assert p < 0.05
    critical = 2.85 * 14 * 3 / (13 + 2.85)
    assert iman_davenport(critical, datasets=14, arms=4)[1] == pytest.approx(0.05, abs=5e-4)


def test_datasets_that_all_rank_alike_have_the_probability_of_that() -> None:
    # Ranks 1 2 3 in every one of 6 rows: one of 3! orders, five times again.
    scores = np.tile([0.9, 0.5, 0.1], (6, 1))
    ranks = critical_difference(scores)
    assert ranks.mean_ranks.tolist() == [1.0, 2.0, 3.0]
    assert ranks.statistic == math.inf
    assert ranks.p == pytest.approx(6.0**-5)


def test_ties_share_their_rank_and_a_table_of_ties_shows_nothing() -> None:
    ranks = critical_difference(np.full((5, 4), 0.5))
    assert ranks.mean_ranks.tolist() == [2.5] * 4
    assert ranks.p == 1.0
    assert ranks.groups == ((0, 1, 2, 3),)


def test_groups_join_neighbours_within_the_critical_difference() -> None:
    # Mean ranks 1, 2, 3, 4 over 30 datasets: the critical difference is 0.86, so no two arms are alike ...
    scores = np.tile([0.1, 0.4, 0.3, 0.2], (30, 1))
    assert critical_difference(scores).groups == ()
    # ... and over 6 datasets it is 1.91: each arm is alike with its neighbour only.
    assert critical_difference(scores[:6]).groups == ((1, 2), (2, 3), (3, 0))


def test_fewer_than_five_datasets_are_refused() -> None:
    with pytest.raises(UserError, match="at least 5 datasets, got 4; read the per-dataset comparisons instead"):
        critical_difference(np.ones((4, 3)))


def test_two_arms_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 3 arms"):
        critical_difference(np.ones((6, 2)))

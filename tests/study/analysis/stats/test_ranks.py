"""Ranks over datasets."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sea_core.errors import UserError
from study.analysis.stats.ranks import critical_difference


@pytest.mark.parametrize(("arms", "quantile"), [(3, 2.343), (4, 2.569), (5, 2.728), (10, 3.164)])
def test_the_critical_difference_uses_demsars_quantiles(arms: int, quantile: float) -> None:
    # Table 5 of Demsar (2006), alpha = 0.05.
    scores = np.random.default_rng(0).random((12, arms))
    expected = quantile * math.sqrt(arms * (arms + 1) / (6 * 12))
    assert critical_difference(scores).difference == pytest.approx(expected, rel=5e-4)


def test_friedmans_statistic_by_hand() -> None:
    # Ranks 1 2 3 in every one of 6 rows: 12 * 6 / (3 * 4) * ((1 - 2)^2 + 0 + (3 - 2)^2) = 12.
    scores = np.tile([0.9, 0.5, 0.1], (6, 1))
    found = critical_difference(scores)
    assert found.mean_ranks.tolist() == [1.0, 2.0, 3.0]
    assert found.statistic == pytest.approx(12.0)
    assert found.p == pytest.approx(math.exp(-6.0))


def test_ties_share_their_rank_and_a_table_of_ties_shows_nothing() -> None:
    found = critical_difference(np.full((5, 4), 0.5))
    assert found.mean_ranks.tolist() == [2.5] * 4
    assert found.p == 1.0
    assert found.groups == ((0, 1, 2, 3),)


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

"""The winner's curse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from study.analysis.stats.shrinkage import controlled_shrinkage, winners_shrinkage


def test_the_interval_is_that_of_a_t_test_of_the_fresh_seeds() -> None:
    fresh = np.array([0.101, 0.098, 0.104, 0.099])
    shrinkage = winners_shrinkage(0.11, fresh)
    expected = stats.ttest_1samp(0.11 - fresh, 0.0).confidence_interval()
    assert (shrinkage.low, shrinkage.high) == pytest.approx((expected.low, expected.high))
    assert shrinkage.shrinkage == pytest.approx(0.11 - fresh.mean())
    assert shrinkage.relative == pytest.approx(1 - fresh.mean() / 0.11)


def test_the_best_of_many_equal_trials_shrinks_by_the_expected_maximum() -> None:
    # 20 trials of one and the same quality: the winner flatters itself by 1.867 seed sds, the expected maximum of 20.
    rng = np.random.default_rng(0)
    searches, fresh = rng.normal(0.1, 0.01, size=(1000, 20)).max(axis=1), rng.normal(0.1, 0.01, size=(1000, 5))
    shrinkage = [winners_shrinkage(float(best), runs).shrinkage for best, runs in zip(searches, fresh, strict=True)]
    assert np.mean(shrinkage) == pytest.approx(1.867 * 0.01, rel=0.06)


def test_one_fresh_seed_gives_a_difference_without_an_interval() -> None:
    shrinkage = winners_shrinkage(0.2, np.array([0.15]))
    assert shrinkage.shrinkage == pytest.approx(0.05)
    assert math.isnan(shrinkage.low)
    assert math.isnan(shrinkage.seed_sd)


@pytest.mark.parametrize("fresh", [[], [math.nan, 0.1]])
def test_missing_scores_are_refused(fresh: list[float]) -> None:
    with pytest.raises(ValueError, match="finite scores and at least one fresh seed"):
        winners_shrinkage(0.1, np.array(fresh, dtype=np.float64))


def test_a_lucky_seed_is_not_taken_for_selection() -> None:
    # The search's seed was worth .004 to every trial; the winner shrinks by no more than they do.
    winner = winners_shrinkage(0.105, np.array([0.101, 0.100, 0.102]))
    shrinkage = controlled_shrinkage(winner, np.array([0.004, 0.005, 0.003, 0.004]))
    assert shrinkage.control == pytest.approx(0.004)
    assert shrinkage.excess == pytest.approx(0.0)
    assert not shrinkage.shown
    assert winner.low > 0  # by itself it would have been called a curse


def test_selection_shows_against_controls_that_do_not_shrink() -> None:
    winner = winners_shrinkage(0.12, np.array([0.101, 0.100, 0.102]))
    assert controlled_shrinkage(winner, np.array([0.001, -0.001, 0.0, 0.0005])).shown
    alone = controlled_shrinkage(winner, np.array([0.001]))
    assert math.isnan(alone.low)
    assert not alone.shown


def test_the_interval_covers_a_winner_that_is_like_its_controls() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(1000):
        luck = rng.normal(0, 0.01)  # of the search's seed, shared by all trials
        noise = rng.normal(0, 0.004, size=5)
        winner = winners_shrinkage(0.1 + luck + noise[0], np.array([0.1, 0.1]))
        shrinkage = controlled_shrinkage(winner, luck + noise[1:])
        held += shrinkage.low <= 0 <= shrinkage.high
    assert held / 1000 == pytest.approx(0.95, abs=0.025)


def test_no_control_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one trial"):
        controlled_shrinkage(winners_shrinkage(0.1, np.array([0.1])), np.array([]))

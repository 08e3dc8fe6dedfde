"""Rank stability of a selection."""

from __future__ import annotations

import numpy as np
import pytest

from study.analysis.stats.stability import selection_stability


def test_a_trial_that_is_better_for_every_user_always_wins() -> None:
    values = np.random.default_rng(0).random((4, 60))
    values[2] = values.max(axis=0) + 0.1
    stability = selection_stability(values, rng=np.random.default_rng(1))
    assert (stability.winner, stability.winner_share) == (2, 1.0)
    assert stability.rank_high[2] == 1


def test_equal_trials_go_to_the_earlier_one() -> None:
    row = np.random.default_rng(0).random(97)
    stability = selection_stability(np.stack([row, row, row]), rng=np.random.default_rng(1))
    assert stability.win_share.tolist() == [1.0, 0.0, 0.0]
    assert stability.rank_low.tolist() == [1.0, 2.0, 3.0]


def test_trials_that_differ_by_chance_alone_win_about_equally_often() -> None:
    rng = np.random.default_rng(2)
    shares = [selection_stability(rng.random((2, 100)), rng=rng, resamples=200).win_share[0] for _ in range(200)]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.07)


def test_it_equals_a_plain_loop_over_resamples() -> None:
    values = np.random.default_rng(3).random((5, 30))
    rng = np.random.default_rng(4)
    wins = np.zeros(5)
    for _ in range(4000):
        wins[np.argmax(values[:, rng.integers(30, size=30)].mean(axis=1))] += 1
    stability = selection_stability(values, rng=np.random.default_rng(5), resamples=4000)
    assert stability.win_share == pytest.approx(wins / 4000, abs=0.04)
    assert stability.win_share.sum() == pytest.approx(1.0)

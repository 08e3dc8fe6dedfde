"""Expected validation performance."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from study.analysis.stats.budget_curve import budget_curve


def test_it_equals_all_draws_with_replacement() -> None:
    values = np.array([0.3, 0.1, 0.2, 0.2])
    curve = budget_curve(values)
    for budget in (1, 2, 3, 4):
        best = [max(draw) for draw in itertools.product(values, repeat=budget)]
        assert curve.expected[budget - 1] == pytest.approx(np.mean(best))
        assert curve.low[budget - 1] == np.quantile(best, 0.025, method="inverted_cdf")
        assert curve.high[budget - 1] == np.quantile(best, 0.975, method="inverted_cdf")


def test_it_starts_at_the_mean_and_rises_towards_the_best() -> None:
    values = np.random.default_rng(0).random(30)
    curve = budget_curve(values)
    assert curve.trials.tolist() == list(range(1, 31))
    assert curve.expected[0] == pytest.approx(values.mean())
    assert (np.diff(curve.expected) > 0).all()
    assert curve.expected[-1] < values.max()
    assert (curve.low <= curve.expected).all()
    assert (curve.expected <= curve.high).all()


def test_no_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one trial"):
        budget_curve(np.array([]))

"""Would more search help: the prediction against searches that were really doubled."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from study.analysis.stats.more_search import more_search

Draw = Callable[[np.random.Generator, int], np.ndarray]


def noise(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.normal(size=count)


def smooth_optimum(rng: np.random.Generator, count: int) -> np.ndarray:
    """Random points around the best one of three parameters."""
    return 1 - (rng.uniform(-1, 1, size=(count, 3)) ** 2).sum(axis=1)


def doubled(draw: Draw, count: int, *, searches: int = 60) -> tuple[np.ndarray, list[float], list[float]]:
    """What doubling gained in each of some searches; what was expected; its upper bound."""
    rng = np.random.default_rng(0)
    gained, expected, high = [], [], []
    for _ in range(searches):
        values = draw(rng, 2 * count)
        first = values[:count]
        prediction = more_search(first)
        gained.append(max(0.0, values.max() - first.max()))
        expected.append(prediction.expected)
        high.append(prediction.high)
    return np.array(gained), expected, high


@pytest.mark.parametrize("count", [12, 40])
@pytest.mark.parametrize("draw", [noise, smooth_optimum])
@pytest.mark.slow
def test_the_bound_holds_as_often_as_it_says(draw: Draw, count: int) -> None:
    gained, _, high = doubled(draw, count)
    assert (gained <= np.array(high)).mean() >= 0.88  # of 60: two standard errors below 95 %


def test_of_noise_the_expected_gain_is_right() -> None:
    gained, expected, _ = doubled(noise, 40)
    assert np.mean(expected) == pytest.approx(gained.mean(), rel=0.5)


def test_near_a_best_possible_value_it_errs_upwards() -> None:
    gained, expected, _ = doubled(smooth_optimum, 40)
    assert gained.mean() < np.mean(expected) < 6 * gained.mean()


def test_a_longer_search_near_an_optimum_has_less_to_gain() -> None:
    values = smooth_optimum(np.random.default_rng(3), 200)
    assert more_search(values).expected < 0.5 * more_search(values[:12]).expected


def test_a_best_trial_far_ahead_is_hard_to_beat() -> None:
    values = noise(np.random.default_rng(1), 20)
    ahead = np.append(values, values.max() + 2.0)
    assert more_search(ahead).none > more_search(np.append(values, values.max() + 0.01)).none + 0.2


def test_it_scales_and_moves_with_the_values_and_forgets_their_order() -> None:
    values = noise(np.random.default_rng(2), 15)
    one, other = more_search(values), more_search(7 + 0.01 * values[::-1])
    assert other.expected == pytest.approx(0.01 * one.expected, rel=1e-6)
    assert other.high == pytest.approx(0.01 * one.high, rel=1e-6)
    assert other.none == pytest.approx(one.none, rel=1e-6)


def test_equal_values_promise_nothing() -> None:
    assert more_search(np.full(10, 0.3)) == (0.0, 0.0, 0.95, 1.0, 5)


def test_a_tighter_level_has_a_higher_bound() -> None:
    values = noise(np.random.default_rng(5), 20)
    highs = [more_search(values, level=level).high for level in (0.3, 0.8, 0.95, 0.99)]
    assert highs == sorted(highs)
    assert highs[0] == 0.0  # as likely as not there is no gain


@pytest.mark.parametrize("values", [np.ones(5), np.array([np.nan] * 10)])
def test_too_few_or_undefined_values_are_refused(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="at least 6 finite values"):
        more_search(values)

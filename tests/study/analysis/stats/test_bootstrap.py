"""The hierarchical bootstrap."""

from __future__ import annotations

import numpy as np
import pytest

from study.analysis.stats import bootstrap
from study.analysis.stats.bootstrap import hierarchical_bootstrap, resampled_means
from study.analysis.stats.crossed import crossed_effect
from tests.study.analysis.stats.test_crossed import crossed_difference


def test_its_standard_error_is_the_exact_one_of_independent_resampling() -> None:
    # Users and seeds drawn with replacement: the variance is a sum of three mean squared deviations.
    difference = crossed_difference(0, seeds=6, users=25)
    seeds, users = difference.shape
    mean = difference.mean()
    user, seed = difference.mean(axis=0) - mean, difference.mean(axis=1) - mean
    residual = difference - mean - user - seed[:, None]
    variance = (user @ user) / users**2 + (seed @ seed) / seeds**2 + np.square(residual).sum() / (seeds * users) ** 2
    intervals = hierarchical_bootstrap(difference[None], rng=np.random.default_rng(1), resamples=20_000)
    assert intervals.standard_error[0] == pytest.approx(variance**0.5, rel=0.02)


def test_it_agrees_with_the_crossed_interval_where_seeds_are_many() -> None:
    difference = crossed_difference(4, seeds=40, users=200)
    effect = crossed_effect(difference)
    intervals = hierarchical_bootstrap(difference[None], rng=np.random.default_rng(2), resamples=4000)
    width = effect.high - effect.low
    assert intervals.low[0] == pytest.approx(effect.low, abs=0.08 * width)
    assert intervals.high[0] == pytest.approx(effect.high, abs=0.08 * width)


def test_all_comparisons_share_each_resample() -> None:
    difference = crossed_difference(5)
    intervals = hierarchical_bootstrap(np.stack([difference, difference + 1.0]), rng=np.random.default_rng(3))
    assert intervals.low[1] == pytest.approx(intervals.low[0] + 1.0)
    assert intervals.standard_error[1] == pytest.approx(intervals.standard_error[0])


def test_blocks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(4).random((3, 50))
    whole = resampled_means(values, rng=np.random.default_rng(5), resamples=40)
    monkeypatch.setattr(bootstrap, "_BLOCK_VALUES", 7 * 50)
    assert resampled_means(values, rng=np.random.default_rng(5), resamples=40) == pytest.approx(whole)


def test_the_same_generator_gives_the_same_interval() -> None:
    difference = crossed_difference(6)[None]
    first, second = (hierarchical_bootstrap(difference, rng=np.random.default_rng(7)) for _ in range(2))
    assert (first.low, first.high) == (second.low, second.high)


@pytest.mark.parametrize("shape", [(2, 1, 30), (2, 3, 1)])
def test_nothing_to_resample_is_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="at least 2 seeds and 2 users"):
        hierarchical_bootstrap(np.zeros(shape), rng=np.random.default_rng(0))

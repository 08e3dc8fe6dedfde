"""The paired t test over seeds."""

import math

import numpy as np
import pytest
from scipy import stats

from study.analysis.stats.paired import paired_difference


def test_it_is_the_paired_t_test() -> None:
    difference = np.array([0.3, -0.1, 0.4, 0.25])
    difference_test, expected = paired_difference(difference), stats.ttest_1samp(difference, 0.0)
    assert difference_test.p == pytest.approx(expected.pvalue)
    assert (difference_test.low, difference_test.high) == pytest.approx(tuple(expected.confidence_interval()))
    assert difference_test.mean == pytest.approx(0.2125)


def test_one_pair_has_a_difference_and_nothing_else() -> None:
    difference_test = paired_difference(np.array([0.5]))
    assert (difference_test.mean, difference_test.pairs) == (0.5, 1)
    assert math.isnan(difference_test.low)
    assert math.isnan(difference_test.p)


def test_runs_that_are_equal_do_not_differ() -> None:
    assert paired_difference(np.zeros(3)) == (0.0, 0.0, 0.0, 1.0, 3)


def test_differences_that_are_all_one_number_are_no_estimate() -> None:
    difference_test = paired_difference(np.array([0.3, 0.3, 0.3]))
    assert difference_test.mean == pytest.approx(0.3)
    assert math.isnan(difference_test.p)
    assert math.isnan(difference_test.low)


@pytest.mark.parametrize("bad", [np.empty(0), np.array([1.0, np.nan])])
def test_values_that_are_not_finite_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="finite values and at least one pair"):
        paired_difference(bad)

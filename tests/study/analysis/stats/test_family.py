"""Holm's correction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from study.analysis.stats.family import holm


def test_a_hand_computed_family() -> None:
    # Sorted .01 .02 .03 .04 times 4 3 2 1, then never falling: .04 .06 .06 .06.
    assert holm(np.array([0.03, 0.01, 0.04, 0.02])) == pytest.approx([0.06, 0.04, 0.06, 0.06])


def test_rows_without_a_p_value_stay_without_and_do_not_count() -> None:
    corrected = holm(np.array([0.01, np.nan, 0.02]))
    assert corrected[[0, 2]] == pytest.approx([0.02, 0.02])
    assert np.isnan(corrected[1])


def test_it_equals_statsmodels() -> None:
    p = np.random.default_rng(0).random(40) ** 3
    p[7] = p[8]
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_it_lies_between_no_correction_and_bonferroni(values: list[float]) -> None:
    p = np.array(values)
    corrected = holm(p)
    assert np.all(p <= corrected)
    assert np.all(corrected <= np.minimum(len(p) * p, 1.0))


def test_an_empty_family_is_empty() -> None:
    assert len(holm(np.array([], dtype=np.float64))) == 0

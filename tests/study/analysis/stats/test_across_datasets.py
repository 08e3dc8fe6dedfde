"""Claims over datasets."""

from __future__ import annotations

import numpy as np
import pytest

from study.analysis.stats.across_datasets import on_all, on_at_least, shown_on


def test_claims_by_hand() -> None:
    p = np.array([0.03, 0.001, 0.02])
    assert on_all(p) == 0.03 == on_at_least(p, 3)
    assert on_at_least(p, 1) == pytest.approx(0.003)  # Bonferroni's smallest: Holm's first step
    assert on_at_least(p, 2) == pytest.approx(0.04)
    assert shown_on(p) == 3
    assert shown_on(np.array([0.001, 0.03, 0.9])) == 1
    assert shown_on(np.array([0.3, 0.4])) == 0


def test_partial_conjunction_keeps_its_level_when_fewer_datasets_have_an_effect() -> None:
    rng = np.random.default_rng(0)
    p = rng.random((4_000, 4))
    p[:, 0] = 1e-9  # one of four has an effect; "at least two" is false
    wrong = np.mean([on_at_least(row, 2) <= 0.05 for row in p])
    assert wrong == pytest.approx(0.05, abs=0.012)
    assert np.mean([shown_on(row) > 1 for row in p]) < 0.065


def test_impossible_claims_are_refused() -> None:
    with pytest.raises(ValueError, match=r"in 1\.\.2"):
        on_at_least(np.array([0.1, 0.2]), 3)
    with pytest.raises(ValueError, match="at least one dataset"):
        on_all(np.array([]))

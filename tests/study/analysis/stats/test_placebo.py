"""Copies of the reference as arms."""

from __future__ import annotations

import math

import pytest

from study.analysis.stats.placebo import summarise_placebos


def test_a_summary_by_hand() -> None:
    summary = summarise_placebos([0.5, 0.04, math.nan], [0.003, -0.004, 0.0])
    assert (summary.copies, summary.flagged) == (3, 1)
    assert summary.farthest == 0.004
    assert summary.typical == pytest.approx(math.sqrt((9 + 16) / 3) * 1e-3)


def test_how_many_flags_chance_allows() -> None:
    # P(at most 1 of 3 at 5 %) = .99275 >= .95 > P(0) = .857; of 1: P(0) = .95.
    assert summarise_placebos([0.5] * 3, [0.0] * 3).most_expected == 1
    assert summarise_placebos([0.5], [0.0]).most_expected == 0


def test_nothing_to_summarise_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one copy"):
        summarise_placebos([], [])

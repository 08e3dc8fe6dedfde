"""What the docs show is what was measured."""

from __future__ import annotations

from pathlib import Path

from benchmarks.calibrate_statistics import FIGURES, markdown

DOCS = Path(__file__).parents[4] / "docs" / "statistics.md"


def test_every_measured_row_is_in_the_docs() -> None:
    shown = DOCS.read_text(encoding="utf-8").splitlines()
    assert [line for line in markdown(FIGURES).splitlines() if line not in shown] == []

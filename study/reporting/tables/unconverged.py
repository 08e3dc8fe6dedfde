"""The mark of rows whose runs had not finished learning, and the note that explains it: the same in every table."""

from __future__ import annotations

from collections.abc import Sequence

from study.analysis.convergence import run_converged
from study.records.study import RunRecord
from study.reporting.tables.table import Cell

MARK = " ‡"
NOTE = "‡ Some of its runs were still learning when their cap ended them."


def mark_of(runs: Sequence[RunRecord]) -> str:
    """What follows the name of a row: the mark if one of its runs had not converged, else nothing."""
    trained = [run for run in runs if run.baseline is None]
    return MARK if any(run_converged(run) is False for run in trained) else ""


def note_of(rows: Sequence[Sequence[Cell]]) -> list[str]:
    """The note, if a row has the mark."""
    return [NOTE] if any(str(row[0]).endswith(MARK) for row in rows) else []

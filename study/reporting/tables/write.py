"""All tables of one or several studies. A new table is one file beside this one and one line here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from study.records.folder import make_writable
from study.records.study import load_study
from study.reporting.tables import (
    ablation,
    best_configs,
    budgets,
    diagnostics,
    factorial,
    overall,
    selection,
    sensitivity,
    separation,
    statistics,
)
from study.reporting.tables.render import write_table
from study.reporting.tables.results import Results
from study.reporting.tables.table import Table
from study.running.events import Emit, TableWritten, silent

TABLES: Sequence[Callable[[Results], Table | None]] = (
    overall.compute,
    ablation.compute_frozen,
    ablation.compute_retuned,
    statistics.compute,
    factorial.compute,
    selection.compute,
    sensitivity.compute,
    diagnostics.compute,
    diagnostics.compute_recovery,
    separation.compute,
    best_configs.compute,
    budgets.compute,
)


def write_tables(folders: Sequence[Path], out: Path, *, emit: Emit = silent) -> list[Path]:
    """Write every table that the studies' results allow, as CSV, Markdown and LaTeX; equal results give equal bytes.

    Args:
        folders: study folders, in the order of the columns.
        out: folder for the files; created if missing.
        emit: told of each table.

    Returns:
        The files written, in the order of the tables.

    Raises:
        UserError: no study there, data that differ, a test result without its receipt, or an unwritable folder.
    """
    results = Results([load_study(folder) for folder in folders])
    computed = compute_tables(results)
    make_writable(out)
    written = []
    for table in computed:
        paths = write_table(table, out)
        emit(TableWritten(table.name, table.caption, paths[0]))
        written += paths
    return written


def compute_tables(results: Results) -> list[Table]:
    """Every table that the results allow.

    Raises:
        UserError: as ``write_tables``.
    """
    return [table for compute in TABLES if (table := compute(results)) is not None]

"""The report of a study on disk: one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sea_core.files import write_atomically
from study.analysis.results import Results
from study.records.folder import make_writable
from study.reporting.page.compute import REPORT, compute
from study.reporting.page.page import Picture
from study.reporting.page.render import render
from study.reporting.tables.table import Table


def write_report(results: Results, tables: Sequence[Table], pictures: Sequence[Picture], out: Path) -> Path:
    """Write ``report.html`` of one study, or of several together; equal results give equal bytes.

    Args:
        results: of the studies.
        tables: computed from these results.
        pictures: the figures to show, drawn by the caller from these results.
        out: folder of the page; created if missing.

    Returns:
        The page.

    Raises:
        UserError: a damaged file of a run, or an unwritable folder.
    """
    page = compute(results, tables, pictures, out)
    make_writable(out)
    path = out / REPORT
    write_atomically(path, render(page).encode())
    return path

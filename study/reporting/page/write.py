"""The report of a study on disk: one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sea_core.files import write_atomically
from study.records.folder import make_writable
from study.records.study import load_study
from study.reporting.page.compute import REPORT, compute
from study.reporting.page.page import Picture
from study.reporting.page.render import render


def write_report(folders: Sequence[Path], out: Path, pictures: Sequence[Picture]) -> Path:
    """Write ``report.html`` of one study, or of several together; equal results give equal bytes.

    Args:
        folders: study folders.
        out: folder of the page; created if missing.
        pictures: the figures to show, drawn by the caller.

    Returns:
        The page.

    Raises:
        UserError: no study there, results that may not stand side by side, or an unwritable folder.
    """
    page = compute([load_study(folder) for folder in folders], pictures, out)
    make_writable(out)
    path = out / REPORT
    write_atomically(path, render(page).encode())
    return path

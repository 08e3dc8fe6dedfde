"""Reading studies from Python: what ``make_tables.py``, ``make_figures.py`` and ``make_report.py`` do."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from plots.lib.draw_all import FILES, Drawn, draw_all
from plots.lib.figures import FIGURES, JOINT_FIGURES
from sea_core.errors import UserError, suggest
from sea_core.project import default_results
from study.analysis.results import Results
from study.api.outputs import write_outputs
from study.records.study import Study, load_study
from study.reporting.page.compute import REPORT
from study.reporting.tables.render import to_markdown, to_text
from study.reporting.tables.table import Table
from study.reporting.tables.write import compute_tables

__all__ = ["compare", "draw", "load_study", "report", "tables"]

One = Study | str | os.PathLike[str]
Studies = Results | One | Sequence[One]  # what was compared already, a study or its folder, or several


class TableView(NamedTuple):
    """A computed table that shows itself: as text where it is printed, as a table in a notebook's cell."""

    table: Table

    @property
    def frame(self) -> pd.DataFrame:
        """The numbers behind it, at full precision."""
        return self.table.frame

    def __str__(self) -> str:
        return f"{self.table.caption}\n{to_text(self.table)}"

    def _repr_markdown_(self) -> str:
        return to_markdown(self.table)


def compare(studies: Studies) -> Results:
    """Measure and compare studies, once: everything that ``tables``, ``draw`` and ``report`` show comes from here.

    Args:
        studies: one or several studies, or their folders, in the order of a table's columns.

    Returns:
        ``arms`` (each arm against the full model), ``baselines`` (the winner against each), ``factors`` (CLUB, Solosim
        and their interaction); one row a comparison, with interval and corrected p where there are two seeds or more.

    Raises:
        UserError: no study there, two studies of one dataset that ran on different data, or a test result without its
            receipt.

    Example, of the studies that the examples of ``finalize`` and ``ablate`` made:
        >>> import study
        >>> compared = study.compare("results/tiny")
        >>> sorted({row.arm for row in compared.arms})
        ['no-club']
    """
    if isinstance(studies, Results):
        return studies
    several = [studies] if isinstance(studies, Study | str | os.PathLike) else studies
    return Results([each if isinstance(each, Study) else load_study(each) for each in several])


def tables(studies: Studies) -> dict[str, TableView]:
    """Every table that the results allow, by name.

    Args:
        studies: as for ``compare``.

    Raises:
        UserError: as ``compare``.

    Example:
        >>> import study
        >>> found = study.tables("results/tiny")
        >>> sorted(found)[:3]
        ['ablation', 'best-configs', 'budgets']
        >>> found["ablation"].frame["name"].unique().tolist()
        ['full', 'no-club']
    """
    return {table.name: TableView(table) for table in compute_tables(compare(studies))}


def draw(studies: Studies, figure: str) -> Drawn:
    """Draw one figure; a notebook shows it in the cell.

    Args:
        studies: as for ``compare``; several for a figure that compares them.
        figure: its name (``python plots/make_figures.py --help`` lists them).

    Returns:
        The figure, with the bytes of its PDF, PNG and CSV in ``files``.

    Raises:
        UserError: as ``compare``; an unknown figure, or one whose records the studies lack.

    Example:
        >>> import study
        >>> drawn = study.draw("results/tiny", "search_history")
        >>> drawn.files["png"][:4]
        b'\\x89PNG'
    """
    results = compare(studies)
    known = {**FIGURES, **JOINT_FIGURES}
    if figure not in known:
        raise UserError(f"unknown figure '{figure}'{suggest(figure, known)}")
    joint = figure in JOINT_FIGURES
    if not joint and len(results.studies) != 1:
        raise UserError(f"figure '{figure}' shows one study, got {len(results.studies)}; draw each by itself")
    skipped: list[str] = []
    drawn = next(draw_all({figure: known[figure]}, results, FILES, write_line=skipped.append), None)
    if drawn is None:
        raise UserError(skipped[0])
    return drawn


def report(studies: Studies, *, out: str | os.PathLike[str] | None = None) -> Path:
    """Write tables, figures and ``report.html``, unless those that lie there are of these records already.

    Args:
        studies: as for ``compare``.
        out: folder; None = the study's own, and the project's ``results`` for several.

    Returns:
        The page.

    Raises:
        UserError: as ``compare``, or an unwritable folder.

    Example:
        >>> import study
        >>> study.report("results/tiny").name
        'report.html'
    """
    results = compare(studies)
    one = results.studies[0] if len(results.studies) == 1 else None
    folder = Path(out) if out is not None else default_results() if one is None else one.folder.root
    write_outputs(results, folder)
    return folder / REPORT

"""All tables of one or several studies (``registry``), computed and written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sea_core.plugins import plugin_errors_explained
from study.analysis.protocols import caption_words
from study.analysis.results import Results
from study.records.folder import make_writable, remove_outdated
from study.reporting.tables.registry import TABLES
from study.reporting.tables.render import FORMATS, write_table
from study.reporting.tables.table import Table
from study.running.events import Emit, TableWritten, silent


def compute_tables(results: Results) -> list[Table]:
    """Every table that the results allow, for ``write_tables`` and the page; captions end with the split's protocol.

    Raises:
        UserError: arms that were tested on different users, or a file of a run that is damaged.
    """
    words = caption_words(results.studies)
    with plugin_errors_explained():
        tables = [table for compute in TABLES.values() if (table := compute(results)) is not None]
    return [table._replace(caption=f"{table.caption} {words}") for table in tables] if words else tables


def write_tables(tables: Sequence[Table], out: Path, *, emit: Emit = silent) -> list[Path]:
    """Write tables as CSV, Markdown and LaTeX, and remove those that were true of earlier results.

    Equal results give equal bytes.

    Args:
        tables: from ``compute_tables``.
        out: folder for the files; created if missing.
        emit: told of each table.

    Returns:
        The files written, in the order of the tables.

    Raises:
        UserError: an unwritable folder.
    """
    make_writable(out)
    remove_outdated(out, TABLES.keys() - {table.name for table in tables}, FORMATS)
    written = []
    for table in tables:
        paths = write_table(table, out)
        emit(TableWritten(table.name, table.caption, paths[0]))
        written += paths
    return written

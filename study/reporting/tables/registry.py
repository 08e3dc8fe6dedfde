"""The tables there are: those of this folder's files, and those that plugins register."""

from __future__ import annotations

from collections.abc import Callable

from sea_core.registry import Registry
from study.analysis.results import Results
from study.reporting.tables.table import Table

Compute = Callable[[Results], Table | None]  # None where the results hold nothing to show

# By the name of the files.
TABLES: Registry[Compute] = Registry("table", package="study.reporting.tables")


def register_table(name: str, *, place: int = 1000) -> Callable[[Compute], Compute]:
    """Make a function compute a table of that name (``Table.name``), at a place from the top of a report."""
    return TABLES.add(name, place=place)

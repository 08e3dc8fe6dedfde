"""What a table is before it is rendered: cells for the eye, and a frame of full-precision numbers for the CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from study.records.study import RunRecord


class Number(NamedTuple):
    """A number and what is shown beside it.

    Attributes:
        value: at full precision; rounded for display only.
        sd: standard deviation over seeds, shown after ±.
        interval: lower and upper bound, shown in brackets.
        decimals: digits shown.
        signed: show + before positive numbers, as a difference wants.
        stars: significance marks.
        rank: 1 = best of its column (bold), 2 = second (underlined), 0 = neither.
        unit: shown directly after the value, ``%``.
    """

    value: float
    sd: float | None = None
    interval: tuple[float, float] | None = None
    decimals: int = 4
    signed: bool = False
    stars: str = ""
    rank: int = 0
    unit: str = ""


Cell = Number | str


class Table(NamedTuple):
    """A computed table.

    Attributes:
        name: stem of its files.
        caption: one or two sentences: what is shown, over what, and what the marks mean.
        groups: (title, number of columns) from left to right above the columns; empty for none.
        columns: one title per column; the first is that of the row labels.
        rows: cells, as many as columns.
        frame: the numbers behind it, one per line, at full precision.
        rules: indices of the rows above which a line is drawn.
        notes: printed below.
        follows: indices of rows that say more about the row above and stay below it when a reader sorts.
        greys: indices of rows that carry no verdict, shown in grey.
        runs: per row, the records that its cells were computed from; empty for what was not measured here.
    """

    name: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    frame: pd.DataFrame
    groups: Sequence[tuple[str, int]] = ()
    rules: Sequence[int] = ()
    notes: Sequence[str] = ()
    follows: Sequence[int] = ()
    greys: Sequence[int] = ()
    runs: Sequence[Sequence[RunRecord]] = ()


def mark_best(rows: Sequence[Sequence[Cell]], *, among: Sequence[int]) -> list[list[Cell]]:
    """Mark each column's highest and second highest value of the rows ``among``; equal values share a mark."""
    marked = [list(row) for row in rows]
    for column in range(len(marked[0]) if marked else 0):
        cells = {
            row: cell for row in among if isinstance(cell := marked[row][column], Number) and cell.value == cell.value
        }
        best_two = sorted({cell.value for cell in cells.values()}, reverse=True)[:2]
        for row, cell in cells.items():
            if cell.value in best_two and len(cells) > 1:
                marked[row][column] = cell._replace(rank=1 + best_two.index(cell.value))
    return marked

"""What the report's page holds, before it is rendered: plain text and numbers, nothing escaped, nothing styled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Picture(NamedTuple):
    """A figure, drawn by whoever calls: this package may not import what draws.

    Attributes:
        name: stem of the figure's files, unique on a page.
        title: a few words.
        caption: what is shown and how to read it.
        svg: a whole SVG file. The page holds it as an image, so that its ids and styles stay its own.
        width, height: in points.
    """

    name: str
    title: str
    caption: str
    svg: bytes
    width: float
    height: float


class Link(NamedTuple):
    """``href`` is relative to the page, or empty where there is nothing to open."""

    text: str
    href: str


class Tile(NamedTuple):
    """One number or verdict to see first; ``tone`` is ``good``, ``bad``, ``even`` or ``open``."""

    label: str
    value: str
    detail: str
    tone: str


class TileGroup(NamedTuple):
    """Tiles that answer one question."""

    title: str
    tiles: Sequence[Tile]


class Answer(NamedTuple):
    """What one study found.

    Attributes:
        study, dataset: their names.
        short: at most three sentences: does it matter, how sure is that, what would change it.
        groups: verdicts for the eye, one group a question.
        sentences: everything that the comparisons say, with its uncertainty; shown further down.
    """

    study: str
    dataset: str
    short: Sequence[str]
    groups: Sequence[TileGroup]
    sentences: Sequence[str]


class Caution(NamedTuple):
    """Something a reader must know before believing the numbers."""

    title: str
    text: str


class Cell(NamedTuple):
    """A table's cell. ``key`` is what it is sorted by: a number's text, or lower-case text; empty sorts last."""

    value: str
    sd: str
    stars: str
    interval: str
    rank: int
    key: str


class Source(NamedTuple):
    """A run behind a row: where it lies, and its own value in each of the row's columns but the first."""

    link: Link
    cells: Sequence[str]


class Row(NamedTuple):
    """A row and the runs behind it.

    Attributes:
        cells: the first names the row.
        name_href: the only run behind the row, where there is one.
        sources: several runs that have values of their own in the row's columns, one line each.
        links: several runs that have none.
        grey: the row carries no verdict.
    """

    cells: Sequence[Cell]
    name_href: str
    sources: Sequence[Source]
    links: Sequence[Link]
    grey: bool = False


class Block(NamedTuple):
    """A row and those that follow it when the table is sorted; ``ruled`` draws a line above."""

    rows: Sequence[Row]
    ruled: bool


class HtmlTable(NamedTuple):
    """A table of ``study.reporting.tables`` as the page shows it, with the runs behind its cells."""

    name: str
    title: str
    caption: str
    groups: Sequence[tuple[str, int]]
    columns: Sequence[str]
    blocks: Sequence[Block]
    notes: Sequence[str]
    files: Sequence[Link]


class Fact(NamedTuple):
    """A name and its value."""

    name: str
    value: str


class Facts(NamedTuple):
    """Facts under one heading."""

    title: str
    facts: Sequence[Fact]


class Details(NamedTuple):
    """What is folded away about one study: its trials, configs, and where its numbers come from."""

    study: str
    dataset: str
    trials: HtmlTable | None
    configs: Sequence[Facts]
    provenance: Sequence[Facts]


class Page(NamedTuple):
    """The whole page. Of several studies, answers and details are one per study and tables are joint."""

    title: str
    question: str
    background: str
    summary: str
    answers: Sequence[Answer]
    cautions: Sequence[Caution]
    key_figure: Picture | None
    key_tables: Sequence[HtmlTable]
    figures: Sequence[Picture]
    tables: Sequence[HtmlTable]
    details: Sequence[Details]
    pages: Sequence[Link]

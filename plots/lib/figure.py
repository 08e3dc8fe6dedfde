"""What a figure file offers, and how a figure becomes PDF, PNG or SVG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Protocol

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from plots.lib.style import paper_style
from study.analysis.results import Results

# Without these a file holds the time or the version it was written with, and equal figures differ.
_METADATA: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
}


class MissingRecordsError(Exception):
    """The study does not hold what a figure shows; the message says in a few words what is missing."""


class Info(Protocol):
    """What ``compute`` returns: a NamedTuple with at least the table that is drawn."""

    @property
    def data(self) -> pd.DataFrame:
        """Everything that is drawn, at full precision; it is written as the figure's CSV."""


class FigureFile(Protocol):
    """What a figure's file holds. ``draw`` shows ``info`` and nothing else, so that the CSV is the whole figure."""

    TITLE: str  # a few words, for the report
    CAPTION: str  # what is shown and how to read it, for the report and the docs

    def compute(self, results: Results) -> Any:
        """Return the figure's ``Info`` of one study, or of several; raise ``MissingRecordsError`` if they lack it."""

    def size(self, info: Any) -> tuple[float, float]:
        """Width and height in inches."""

    def draw(self, ax: Axes, info: Any) -> None:
        """Draw into ``ax``, or into a grid in its place (``style.panels``)."""


def canvas(figure_file: FigureFile, info: Info) -> Figure:
    """Draw and lay out a figure in its own size. Call it inside ``paper_style()``."""
    figure = Figure(figsize=figure_file.size(info), layout="constrained")
    FigureCanvasAgg(figure)
    figure_file.draw(figure.subplots(), info)
    figure.draw_without_rendering()  # lays out, once for all formats
    figure.set_layout_engine("none")
    return figure


def render(figure_file: FigureFile, info: Info, formats: Sequence[str]) -> dict[str, bytes]:
    """Draw a figure and return one file's bytes per format (``pdf``, ``png``, ``svg``); equal input, equal bytes."""
    files = {}
    with paper_style():
        figure = canvas(figure_file, info)
        for suffix in formats:
            buffer = io.BytesIO()
            figure.savefig(buffer, format=suffix, metadata=_METADATA[suffix])
            files[suffix] = buffer.getvalue()
    return files

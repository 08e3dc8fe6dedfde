"""The one look of all figures: sizes, colours, markers, words. Nothing global: use ``with paper_style():``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from scipy.optimize import isotonic_regression

COLUMN, PAGE = 3.3, 7.0  # inches: one column and the full width of a two-column paper

BLACK, GREY, PALE = "#000000", "#7A7A7A", "#C8C8C8"
BLUE, ORANGE, GREEN, PURPLE, VERMILLION, SKY = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9"

# Okabe and Ito's colours, ordered so that the first four differ in lightness too. Their yellow is too pale for lines.
PALETTE = (BLUE, ORANGE, BLACK, GREEN, PURPLE, VERMILLION, SKY)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1.5, 1, 1.5)), (0, (3, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (2, 2)))
HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\", "++++", "oooo")
SEQUENTIAL = "cividis"  # even steps in lightness, the same to the colour blind

RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same picture on every machine
    "font.size": 7,
    "text.parse_math": False,  # a dollar sign in somebody's name is a dollar sign
    "axes.titlesize": 7.5,
    "axes.labelsize": 7,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.formatter.limits": (-4, 5),
    "axes.prop_cycle": mpl.cycler(color=PALETTE),
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "hatch.linewidth": 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,  # TrueType: text stays text, and journals accept it
    "svg.fonttype": "path",  # a page shows the same letters where the font is missing
    "svg.hashsalt": "sea-study",  # the same ids every time
}


class Look(NamedTuple):
    """How one of several series is told from the others, in colour and in grey."""

    color: str
    marker: str
    linestyle: Any
    hatch: str


@contextmanager
def paper_style() -> Iterator[None]:
    """Matplotlib's defaults plus ours, whatever the user's own matplotlibrc says; restored on exit."""
    with mpl.rc_context():
        # Not rcdefaults(): it would also set the backend, which an interactive session has chosen.
        mpl.rcParams.update({k: v for k, v in mpl.rcParamsDefault.items() if not k.startswith("backend")})
        mpl.rcParams.update(RC)
        yield


def look(index: int) -> Look:
    """The look of series ``index``; looks repeat after seven."""
    n = index % len(PALETTE)
    return Look(PALETTE[n], MARKERS[n], LINES[n], HATCHES[n])


def key_columns(count: int, most: int = 5) -> int:
    """Columns of a key with ``count`` entries, so that its rows are equally full."""
    rows = max(1, -(-count // most))
    return max(1, -(-count // rows))


def panels(ax: Axes, rows: int, columns: int, *, sharex: Any = False, sharey: Any = False, **ratios: Any) -> np.ndarray:
    """Put a grid of axes in the place of one and return it, ``(rows, columns)``; options as ``plt.subplots``."""
    grid = ax.get_subplotspec().subgridspec(rows, columns, **ratios)  # type: ignore[union-attr]
    ax.remove()
    return grid.subplots(squeeze=False, sharex=sharex, sharey=sharey)


def spread(positions: np.ndarray, gap: float) -> np.ndarray:
    """Move positions as little as possible (least squares) so that neighbours are at least ``gap`` apart."""
    order = np.argsort(positions, kind="stable")
    steps = gap * np.arange(len(positions))
    moved = np.empty(len(positions))
    moved[order] = isotonic_regression(np.asarray(positions, dtype=float)[order] - steps).x + steps
    return moved

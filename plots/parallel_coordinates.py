"""Figure: every complete trial as a line through its parameters and its value."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator

from plots.lib.figure import MissingRecordsError
from plots.lib.figures import register_figure
from plots.lib.labels import parameter_label
from plots.lib.style import BLACK, GREY, PAGE, SEQUENTIAL
from plots.lib.trials import complete_trials, is_numeric, log_scaled, objective
from study.analysis.metrics import metric_title
from study.analysis.results import Results

register_figure(__name__, place=50)

TITLE = "Parallel coordinates"
CAPTION = (
    "All complete trials: a line joins a trial's parameters, its shade is the validation metric (darker is "
    "better); the best trial is the thick line. Axes run from the smallest to the largest value tried, "
    "logarithmic where the search was."
)


class ParallelCoordinates(NamedTuple):
    """``data``: ``number, value``, then one column a parameter, worst trial first."""

    data: pd.DataFrame
    metric: str
    log_scaled: frozenset[str]


def compute(results: Results) -> ParallelCoordinates:
    """Collect complete trials; parameters that did not vary are left out."""
    study = results.study
    table = complete_trials(study)
    if len(table.columns) < 4:
        raise MissingRecordsError("fewer than two parameters vary over the complete trials")
    data = table.sort_values(["value", "number"], ascending=[True, False], ignore_index=True)  # ties: the earlier wins
    return ParallelCoordinates(data, objective(study), log_scaled(study, table))


def size(info: ParallelCoordinates) -> tuple[float, float]:
    """The width of a page."""
    return PAGE, 2.4


def draw(ax: Axes, info: ParallelCoordinates) -> None:
    """One vertical axis a parameter; better trials on top."""
    names = list(info.data.columns[2:])
    heights = np.column_stack([_height(info.data[name], log=name in info.log_scaled) for name in names])
    lines = [np.column_stack([np.arange(len(names)), row]) for row in heights]
    shades = ScalarMappable(Normalize(info.data["value"].min(), info.data["value"].max()), f"{SEQUENTIAL}_r")
    widths = [0.8] * (len(lines) - 1) + [2.2]
    ax.add_collection(LineCollection(lines, colors=shades.to_rgba(info.data["value"]), linewidths=widths))
    ax.vlines(np.arange(len(names)), 0, 1, color=GREY, linewidth=0.6, zorder=0)
    for n, name in enumerate(names):
        low, high = _ends(info.data[name])
        ax.text(n, -0.03, low, ha="center", va="top", fontsize=6.5)
        ax.text(n, 1.03, high, ha="center", va="bottom", fontsize=6.5)
    ax.set_xlim(-0.3, len(names) - 0.7)
    ax.set_ylim(-0.12, 1.12)
    ax.set_xticks(np.arange(len(names)), [parameter_label(name).replace(" ", "\n") for name in names])
    ax.tick_params(length=0)
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    bar = ax.figure.colorbar(shades, ax=ax, pad=0.01, aspect=25)
    bar.set_label(f"{metric_title(info.metric)}, validation", color=BLACK)
    bar.ax.yaxis.set_major_locator(MaxNLocator(nbins=5))
    bar.outline.set_visible(False)


def _height(column: pd.Series, *, log: bool) -> np.ndarray:
    """Positions between 0 (smallest) and 1; categories are spread evenly in order of their names."""
    if is_numeric(column):
        values = np.log(column.to_numpy()) if log else column.to_numpy()
    else:
        values = pd.Categorical(column).codes.astype(float)
    return (values - values.min()) / np.ptp(values)


def _ends(column: pd.Series) -> tuple[str, str]:
    if not is_numeric(column):
        return column.min(), column.max()
    return f"{column.min():.2g}", f"{column.max():.2g}"

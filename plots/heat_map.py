"""Figure: the metric over a grid of two hyper-parameters that were searched together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from plots.lib.figure import MissingRecordsError
from plots.lib.figures import register_figure
from plots.lib.labels import parameter_label
from plots.lib.style import BLACK, COLUMN, SEQUENTIAL
from plots.lib.trials import complete_trials, objective
from study.analysis.metrics import metric_title
from study.analysis.plausible_best import contenders
from study.analysis.results import Results

register_figure(__name__, place=30)

TITLE = "Heat map"
CAPTION = (
    "Validation metric over a grid of two hyper-parameters, everything else fixed; one trial a cell, lighter is "
    "better, the best cell framed. Dots: the cells among which the best one lies with 95 % confidence for the "
    "validation users; one seed a cell, so seeds leave even more of them open. Dashes: cells whose trial failed or was "
    "pruned."
)
HOLES = 0.5  # no map where more than this share of the cells has no complete trial


class HeatMap(NamedTuple):
    """``data``: one column per parameter, ``value`` (empty in a hole), ``contender`` (dotted); one row a cell."""

    data: pd.DataFrame
    metric: str


def compute(results: Results) -> HeatMap:
    """The study's grid, if a grid of two parameters is what it searched."""
    study = results.study
    table = complete_trials(study)
    names = list(table.columns[2:])
    if len(names) != 2:
        raise MissingRecordsError(
            f"a heat map needs a search over two parameters, here {len(names)} vary (try --space grid-...)"
        )
    cells = table[names[0]].nunique() * table[names[1]].nunique()
    if len(table) < (1 - HOLES) * cells or table.duplicated(names).any():
        raise MissingRecordsError(f"{len(table)} of the {cells} cells of the grid {' x '.join(names)} are complete")
    candidates = contenders(study)
    dotted = [trial.number for trial in candidates.trials] if candidates is not None else []
    table["contender"] = table["number"].isin(dotted)
    grid = pd.MultiIndex.from_product([np.unique(table[name]) for name in names], names=names)
    data = table.set_index(names)[["value", "contender"]].reindex(grid).reset_index()
    return HeatMap(data.astype({"contender": "boolean"}).fillna({"contender": False}), objective(study))


def size(info: HeatMap) -> tuple[float, float]:
    """One column."""
    return COLUMN, 2.6


def draw(ax: Axes, info: HeatMap) -> None:
    """Cells with their values."""
    across, up = info.data.columns[:2]
    cells = info.data.pivot(index=up, columns=across, values="value")
    dotted = info.data.pivot(index=up, columns=across, values="contender")
    picture = ax.pcolormesh(cells.to_numpy(), cmap=SEQUENTIAL, edgecolors="white", linewidth=0.6)
    low, high = cells.min(axis=None), cells.max(axis=None)
    for row, column in np.ndindex(cells.shape):
        value = cells.iat[row, column]
        color = "white" if value <= low + 0.45 * (high - low) else BLACK
        text = "–" if np.isnan(value) else f"{value:.4f}"
        ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=5.5, color=color)
        if dotted.iat[row, column]:
            ax.plot(column + 0.5, row + 0.8, "o", color=color, markersize=2)
    row, column = divmod(int(np.nanargmax(cells)), cells.shape[1])
    ax.add_patch(Rectangle((column, row), 1, 1, fill=False, edgecolor=BLACK, linewidth=1.6))
    ax.set_xticks([n + 0.5 for n in range(cells.shape[1])], [_number(value) for value in cells.columns])
    ax.set_yticks([n + 0.5 for n in range(cells.shape[0])], [_number(value) for value in cells.index])
    ax.set_xlabel(parameter_label(str(across)))
    ax.set_ylabel(parameter_label(str(up)))
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    bar = ax.figure.colorbar(picture, ax=ax, pad=0.02, aspect=25)
    bar.set_label(f"{metric_title(info.metric)}, validation")
    bar.outline.set_visible(False)


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)

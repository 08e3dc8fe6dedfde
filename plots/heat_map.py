"""Figure: the metric over a grid of two hyper-parameters that were searched together."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from plots.figure import MissingRecordsError
from plots.style import BLACK, COLUMN, SEQUENTIAL
from plots.trials import complete_trials, objective
from plots.words import parameter_label
from study.records import Study
from study.tables.measurements import metric_title

CAPTION = (
    "Validation metric over a full grid of two hyper-parameters, everything else fixed; one trial a cell, lighter "
    "is better, the best cell framed. Differences smaller than those between seeds (see the table of finalists) "
    "mean nothing."
)


class HeatMap(NamedTuple):
    """``data``: one column per parameter, then ``value``; one row a cell."""

    data: pd.DataFrame
    metric: str


def compute(study: Study) -> HeatMap:
    """The study's grid, if a grid of two parameters is what it searched."""
    table = complete_trials(study)
    names = list(table.columns[2:])
    if len(names) != 2:
        raise MissingRecordsError(
            f"a heat map needs a search over two parameters, here {len(names)} vary (try --space grid-...)"
        )
    cells = table[names[0]].nunique() * table[names[1]].nunique()
    if len(table) < cells or table.duplicated(names).any():
        raise MissingRecordsError(f"{len(table)} of the {cells} cells of the grid {' x '.join(names)} are complete")
    return HeatMap(table.sort_values(names, ignore_index=True)[[*names, "value"]], objective(study))


def size(info: HeatMap) -> tuple[float, float]:
    """One column."""
    return COLUMN, 2.6


def draw(ax: Axes, info: HeatMap) -> None:
    """Cells with their values."""
    across, up, _ = info.data.columns
    cells = info.data.pivot(index=up, columns=across, values="value")
    picture = ax.pcolormesh(cells.to_numpy(), cmap=SEQUENTIAL, edgecolors="white", linewidth=0.6)
    low, high = cells.min(axis=None), cells.max(axis=None)
    for row in range(cells.shape[0]):
        for column in range(cells.shape[1]):
            value = cells.iat[row, column]
            color = BLACK if value > low + 0.5 * (high - low) else "white"
            ax.text(column + 0.5, row + 0.5, f"{value:.4f}", ha="center", va="center", fontsize=5.5, color=color)
    row, column = divmod(int(cells.to_numpy().argmax()), cells.shape[1])
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

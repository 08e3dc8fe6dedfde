"""Figure: how much each hyper-parameter mattered in the search, and how sure that is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from plots.lib.figure import MissingRecordsError
from plots.lib.labels import parameter_label
from plots.lib.style import BLACK, BLUE, COLUMN, GREY
from plots.lib.trials import objective
from sea_core.errors import UserError
from study.analysis.metrics import metric_title
from study.analysis.stats.importances import importances
from study.records.study import Study
from study.searching.space import parse_space

TITLE = "Importances"
CAPTION = (
    "Share of each hyper-parameter in what sets the best trials apart (PED-ANOVA), with the central 95 % over "
    "resampled trials. Dashed: what each would get if none mattered more than another; intervals that cross it "
    "decide nothing."
)
RESAMPLES = 200  # of trials, as in the tables


class ImportanceBars(NamedTuple):
    """``data``: ``parameter, importance, low, high, chance``, most important first."""

    data: pd.DataFrame
    metric: str


def compute(study: Study) -> ImportanceBars:
    """Importances over complete trials."""
    trials = [trial for trial in study.trials if trial.state == "complete" and trial.duplicate_of is None]
    if "space" not in study.identity:
        raise MissingRecordsError("the study has no search space")
    space = parse_space(study.identity["space"], source=str(study.folder.identity))
    if sum(not searched.single() for searched in space.values()) < 2:
        raise MissingRecordsError("fewer than two parameters were searched")
    try:
        found = importances(
            pd.DataFrame([trial.params for trial in trials]),
            np.array([trial.value for trial in trials], dtype=np.float64),
            distributions=space,
            rng=np.random.default_rng(0),
            resamples=RESAMPLES,
        )
    except UserError as error:
        raise MissingRecordsError(str(error)) from None
    columns = {"parameter": found.names, "importance": found.importance, "low": found.low, "high": found.high}
    return ImportanceBars(pd.DataFrame(columns).assign(chance=found.chance), objective(study))


def size(info: ImportanceBars) -> tuple[float, float]:
    """One column, higher with more parameters."""
    return COLUMN, 0.7 + 0.19 * len(info.data)


def draw(ax: Axes, info: ImportanceBars) -> None:
    """Horizontal bars with whiskers."""
    data = info.data
    place = np.arange(len(data))
    # Quantiles over resamples need not enclose the estimate, so whiskers are no lengths from the bar.
    ax.barh(place, data["importance"], 0.7, color=BLUE, alpha=0.75)
    ax.hlines(place, data["low"], data["high"], color=BLACK, linewidth=1)
    ax.plot(data[["low", "high"]], np.column_stack([place, place]), "|", color=BLACK, markersize=4)
    ax.axvline(data["chance"].iloc[0], color=GREY, linestyle="--", linewidth=0.8)
    ax.set_yticks(place, [parameter_label(name) for name in data["parameter"]])
    ax.set_ylim(len(data) - 0.5, -0.5)
    ax.set_xlim(left=0)
    ax.set_xlabel(f"importance for {metric_title(info.metric)}")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)

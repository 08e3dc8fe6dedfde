"""Figure: the value of every trial and the best so far, by trial and by the training time spent."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from plots.lib.figure import MissingRecordsError
from plots.lib.figures import register_figure
from plots.lib.style import BLACK, BLUE, GREY, PAGE, VERMILLION, panels
from plots.lib.trials import objective
from study.analysis.metrics import metric_title
from study.analysis.results import Results

register_figure(__name__, place=10)

TITLE = "Search history"
CAPTION = (
    "The search, trial by trial (left) and by the training time spent on it (right; summed over workers). Filled: "
    "complete trials. Open: pruned ones, at their last report. Crosses on the axis: failed ones. Line: the best "
    "so far."
)


class SearchHistory(NamedTuple):
    """``data``: ``number, state, value, best`` (complete value so far), ``minutes`` (of training so far)."""

    data: pd.DataFrame
    metric: str


def compute(results: Results) -> SearchHistory:
    """Collect all trials."""
    study = results.study
    if not study.trials:
        raise MissingRecordsError("no trials")
    rows = [(trial.number, trial.state, trial.value, trial.seconds / 60) for trial in study.trials]
    data = pd.DataFrame(rows, columns=["number", "state", "value", "minutes"]).astype({"value": float})
    data = data.sort_values("number", ignore_index=True)
    data["minutes"] = data["minutes"].cumsum()
    data["best"] = data["value"].where(data["state"] == "complete").cummax().ffill()
    return SearchHistory(data[["number", "state", "value", "best", "minutes"]], objective(study))


def size(info: SearchHistory) -> tuple[float, float]:
    """The width of a page."""
    return PAGE, 2.2


def draw(ax: Axes, info: SearchHistory) -> None:
    """Points by state, and the best so far as steps."""
    by_number, by_time = panels(ax, 1, 2, sharey=True).ravel()
    for panel, x in ((by_number, "number"), (by_time, "minutes")):
        _draw_trials(panel, info.data, x)
        panel.margins(y=0.08)
    by_number.set_xlabel("trial")
    by_time.set_xlabel("training time (min)")
    by_number.set_ylabel(f"{metric_title(info.metric)}, validation")
    by_number.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles = by_number.get_legend_handles_labels()
    by_number.figure.legend(*handles, loc="outside upper center", ncols=4)


def _draw_trials(ax: Axes, data: pd.DataFrame, x: str) -> None:
    looks = {"complete": {"color": BLUE}, "pruned": {"color": GREY, "markerfacecolor": "none"}}
    for state, options in looks.items():
        chosen = data[data["state"] == state]
        if len(chosen):
            ax.plot(chosen[x], chosen["value"], "o", label=state, zorder=3, **options)
    failed = data.loc[data["state"] == "failed", x]
    if len(failed):
        on_axis = {"transform": ax.get_xaxis_transform(), "clip_on": False}
        ax.plot(failed, [0.0] * len(failed), "x", color=VERMILLION, label="failed", **on_axis)
    if data["best"].notna().any():
        ax.step(data[x], data["best"], where="post", color=BLACK, linewidth=1, label="best so far")

"""Figure: the best validation value to be expected of a smaller search, by trials and by training spent."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from plots.lib.figure import MissingRecordsError
from plots.lib.figures import register_figure
from plots.lib.style import PAGE, key_columns, look, panels
from plots.lib.trials import objective
from study.analysis.metrics import metric_title
from study.analysis.results import Results
from study.analysis.search_value import search_values
from study.reporting.tables.search_value import search_title

register_figure(__name__, place=12)

TITLE = "What the search was worth"
CAPTION = (
    "Expected validation performance: the best value that a search of so many complete trials (left) or so much "
    "training (right; in runs as long as the base configuration's, pruned trials among the cost) would have found, on "
    "average over which of the trials they are. Band: 95 % of such searches, of the first line. It takes trials for "
    "independent draws: a sampler that learns finds less than this in its first trials."
)


class SearchCurves(NamedTuple):
    """``data``: ``search, trials, full_runs, expected, low, high``."""

    data: pd.DataFrame
    metric: str


def compute(results: Results) -> SearchCurves:
    """Collect the curves of the study's search and of its re-tuned arms."""
    study = results.study
    values = search_values(results, study)
    if not values:
        raise MissingRecordsError("fewer than two complete trials")
    parts = [
        pd.DataFrame(
            {
                "search": search_title(study, value.arm),
                "trials": value.curve.trials,
                "full_runs": value.full_runs,
                "expected": value.curve.expected,
                "low": value.curve.low,
                "high": value.curve.high,
            }
        )
        for value in values
    ]
    return SearchCurves(pd.concat(parts, ignore_index=True), objective(study))


def size(info: SearchCurves) -> tuple[float, float]:
    """The width of a page; a line more for each row of the key."""
    searches = info.data["search"].nunique()
    return PAGE, 2.2 + 0.15 * (searches > 1) * -(-searches // key_columns(searches))


def draw(ax: Axes, info: SearchCurves) -> None:
    """The same curves twice."""
    by_trials, by_cost = panels(ax, 1, 2, sharey=True).ravel()
    for panel, x in ((by_trials, "trials"), (by_cost, "full_runs")):
        for n, (search, part) in enumerate(info.data.groupby("search", sort=False)):
            how = look(n)
            if n == 0:
                panel.fill_between(part[x], part["low"], part["high"], color=how.color, alpha=0.15, linewidth=0)
            panel.plot(part[x], part["expected"], color=how.color, linestyle=how.linestyle, label=str(search))
        panel.set_xlim(left=0)
    by_trials.set_xlabel("complete trials")
    by_cost.set_xlabel("training (full runs)")
    by_trials.set_ylabel(f"best {metric_title(info.metric)}, validation")
    by_trials.xaxis.set_major_locator(MaxNLocator(integer=True))
    searches = info.data["search"].nunique()
    if searches > 1:
        handles = by_trials.get_legend_handles_labels()
        by_trials.figure.legend(*handles, loc="outside upper center", ncols=key_columns(searches))

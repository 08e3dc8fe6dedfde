"""Figure of several studies: mean ranks of the arms over datasets, and which of them cannot be told apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from plots.lib.arms import finished_runs, per_user, title
from plots.lib.figure import MissingRecordsError
from plots.lib.figures import register_figure
from plots.lib.style import BLACK, BLUE, COLUMN, GREY
from sea_core.errors import UserError
from study.analysis.metrics import main_metric, metric_title
from study.analysis.results import Results
from study.analysis.stats.ranks import critical_difference

register_figure(__name__, place=40, joint=True)

TITLE = "Ranks over datasets"
CAPTION = (
    "Mean ranks of the arms over datasets (1 is best; frozen configurations, test). Bars on the right join arms that "
    "Nemenyi's test does not tell apart at 5 %; the whisker from the best arm is the critical difference, "
    "with its length."
)


class CriticalDifferenceDiagram(NamedTuple):
    """``data``: ``arm, title, mean_rank``, the mean score per dataset; best arm first."""

    data: pd.DataFrame
    difference: float
    p: float  # of Iman and Davenport's test that all arms rank alike
    groups: list[tuple[int, int]]  # first and last row of ``data`` of arms that are not told apart
    datasets: int
    metric: str


def compute(results: Results) -> CriticalDifferenceDiagram:
    """Rank the arms that every study has; one study per dataset."""
    studies, metric = results.studies, main_metric(results.metrics)
    scores: dict[str, dict[str, float]] = {}
    titles: dict[str, str] = {}
    for study in studies:
        if study.dataset in scores:
            raise MissingRecordsError(f"two studies of dataset {study.dataset}; ranks need one per dataset")
        frozen = {arm: list(runs.values()) for (mode, arm), runs in finished_runs(study).items() if mode == "frozen"}
        scores[study.dataset] = {arm: float(per_user(runs, metric).mean()) for arm, runs in frozen.items()}
        titles |= {arm: title(runs[0]) for arm, runs in frozen.items()}
    table = pd.DataFrame(scores).dropna()
    if len(table) < 3:
        raise MissingRecordsError(f"{len(table)} arms were run on every dataset; ranks need at least 3")
    try:
        ranks = critical_difference(table.to_numpy().T)
    except UserError as error:
        raise MissingRecordsError(str(error)) from None
    order = np.argsort(ranks.mean_ranks, kind="stable")
    row = {int(arm): n for n, arm in enumerate(order)}
    table.insert(0, "title", [titles[str(arm)] for arm in table.index])
    table.insert(1, "mean_rank", ranks.mean_ranks)
    groups = [(row[group[0]], row[group[-1]]) for group in ranks.groups]
    data = table.iloc[order].reset_index(names="arm")
    return CriticalDifferenceDiagram(data, ranks.difference, ranks.p, groups, len(studies), metric)


def size(info: CriticalDifferenceDiagram) -> tuple[float, float]:
    """One column, higher with more arms."""
    return COLUMN, 1.0 + 0.2 * len(info.data)


def draw(ax: Axes, info: CriticalDifferenceDiagram) -> None:
    """One row an arm; groups as bars to the right."""
    ranks, rows = info.data["mean_rank"], np.arange(len(info.data))
    ax.plot(ranks, rows, "o", color=BLUE, zorder=3)
    ax.errorbar(ranks[0], rows[0], xerr=[[0], [info.difference]], color=GREY, capsize=2, elinewidth=1)
    end = (ranks[0] + info.difference, rows[0])
    ax.annotate(f"{info.difference:.2f}", end, xytext=(0, 3), textcoords="offset points", ha="right", color=GREY)
    right = ax.get_yaxis_transform()
    for n, (first, last) in enumerate(info.groups):
        x = 1.03 + 0.04 * n
        ax.plot([x, x], [first - 0.2, last + 0.2], color=BLACK, linewidth=2.5, transform=right, clip_on=False)
    ax.set_yticks(rows, info.data["title"])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlim(0.8, max(len(rows), ranks[0] + info.difference) + 0.2)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel(
        f"mean rank by {metric_title(info.metric)}\n{info.datasets} datasets, Iman-Davenport p = {info.p:.2g}"
    )
    ax.tick_params(axis="y", length=0)

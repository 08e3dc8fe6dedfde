"""Figure of several studies: what every arm changes on each dataset, with intervals, on one axis."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from plots.lib.figure import MissingRecordsError
from plots.lib.figures import register_figure
from plots.lib.style import BLACK, PAGE, PALE, key_columns, look
from study.analysis.comparisons import stars, to_frame
from study.analysis.metrics import main_metric, metric_title
from study.analysis.results import Results

register_figure(__name__, place=10, joint=True)

TITLE = "Arms on every dataset"
CAPTION = (
    "What each arm changes on each dataset, in % of the full model's test metric (frozen configurations), with 95 % "
    "intervals for new users and seeds. Grey zone: differences too small to matter. Stars: p below .05, .01, .001 "
    "adjusted for all verdicts of a study together; ≈: shown to lie in the grey zone (equivalent); "
    "neither: undecided. Arms are in the order of their mean change."
)


class Forest(NamedTuple):
    """``data``: ``dataset, arm, title, change, low, high, margin`` (% of the full model), ``p_adjusted, verdict``."""

    data: pd.DataFrame
    metric: str


def compute(results: Results) -> Forest:
    """Collect the frozen arms' comparisons with the full model, corrected over all studies as the tables do."""
    metric = main_metric(results.metrics)
    rows = to_frame(line for line in results.arms if line.mode == "frozen" and line.metric == metric)
    if rows["study"].nunique() < 2:
        raise MissingRecordsError("fewer than two studies have ablation arms that share seeds with the full model")
    datasets = rows["dataset"].where(rows.groupby("dataset")["study"].transform("nunique") == 1, rows["study"])
    scale = 100 / rows["reference_mean"]
    data = pd.DataFrame({"dataset": datasets, "arm": rows["arm"], "title": rows["arm"].map(results.titles)})
    data["change"] = scale * rows["difference"]
    data = data.assign(**{name: scale * rows[name] for name in ("low", "high", "margin")})
    data = data.join(rows[["p_adjusted", "verdict"]])
    order = data.groupby("arm", sort=False)["change"].mean().sort_values(ascending=False, kind="stable").index
    places = {arm: n for n, arm in enumerate(order)}
    return Forest(data.sort_values("arm", key=lambda arms: arms.map(places), kind="stable", ignore_index=True), metric)


def size(info: Forest) -> tuple[float, float]:
    """The page's width, higher with more arms and datasets."""
    step = 0.1 + 0.11 * info.data["dataset"].nunique()
    return PAGE, min(9.0, 0.9 + step * info.data["arm"].nunique())


def draw(ax: Axes, info: Forest) -> None:
    """One row an arm, one mark a dataset in it."""
    arms = info.data.drop_duplicates("arm")
    places = {arm: n for n, arm in enumerate(arms["arm"])}
    datasets = list(info.data["dataset"].unique())
    step = 0.8 / len(datasets)
    handles = []
    for n, dataset in enumerate(datasets):
        rows = info.data[info.data["dataset"] == dataset]
        y = rows["arm"].map(places) + (n - (len(datasets) - 1) / 2) * step
        ax.barh(y, 2 * rows["margin"], step, left=-rows["margin"], color=PALE, alpha=0.5, zorder=0)
        how = look(n)
        ends = [rows["change"] - rows["low"], rows["high"] - rows["change"]]
        style = {"color": how.color, "elinewidth": 1, "capsize": 2, "markersize": 3}
        handles.append(ax.errorbar(rows["change"], y, xerr=ends, fmt=how.marker, **style))
        for row, place in zip(rows.itertuples(), y, strict=True):
            x = row.high if np.isfinite(row.high) else row.change
            mark = "≈" if row.verdict == "equivalent" else stars(row.p_adjusted)
            ax.annotate(mark, (x, place), xytext=(3, -1), textcoords="offset points", va="center", color=BLACK)
    ax.axvline(0, color=BLACK, linewidth=0.6)
    ax.set_yticks(range(len(arms)), arms["title"])
    ax.set_ylim(len(arms) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=7))
    ax.set_xlabel(f"change of {metric_title(info.metric)}, % of the full model")
    ax.figure.legend(handles, datasets, loc="outside upper center", ncols=key_columns(len(handles)))

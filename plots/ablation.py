"""Figure: every arm's test metrics, and its differences to the full model with their intervals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from plots.lib.figure import MissingRecordsError
from plots.lib.figures import register_figure
from plots.lib.style import BLACK, PAGE, PALE, Look, look, panels
from study.analysis.comparisons import stars, to_frame
from study.analysis.metrics import metric_title
from study.analysis.results import Results
from study.records.arm_names import FULL

register_figure(__name__, place=100)

TITLE = "Ablation"
CAPTION = (
    "Ablations on test. Above: means over users and seeds, from 0; dots are single seeds. Below: differences to the "
    "full model with 95 % intervals for new users and seeds. Grey zone: differences too small to matter. Stars: p "
    "below .05, .01, .001, adjusted for all verdicts together; ≈: shown to lie in the grey zone "
    "(equivalence test); neither: undecided. Arms are in the order of the first metric's difference."
)
COMPARED = ["difference", "low", "high", "margin", "p", "p_adjusted", "verdict"]


class Ablation(NamedTuple):
    """One row of ``data`` per metric, mode and arm, the full model first.

    ``data``: ``metric, mode, arm, title, value`` (mean over users and seeds), what ``compare_with_full`` says of it
    (``COMPARED``; empty for the full model), then the mean of each seed.
    """

    data: pd.DataFrame


def compute(results: Results) -> Ablation:
    """Collect the arms and compare them with the full model, exactly as the tables do."""
    if not results.arms:
        raise MissingRecordsError("no ablation arm shares a seed with the full model")
    keys = ["metric", "mode", "name", "title"]
    measured, compared = pd.DataFrame(results.measured), to_frame(results.arms)
    runs = measured[(measured["kind"] == "arm") & measured["metric"].isin(results.metrics)].astype({"seed": int})
    # Searches of one arm share their seeds: a dot is their mean.
    seeds = runs.pivot_table(index=keys, columns="seed", values="value", aggfunc="mean").add_prefix("seed ")
    means = seeds.assign(value=seeds.mean(axis=1)).reset_index().rename(columns={"name": "arm"})
    joined = ["metric", "mode", "arm"]
    data = means.merge(compared[[*joined, *COMPARED]], how="left", on=joined)
    data = data[[*joined, "title", "value", *COMPARED, *seeds.columns]]
    order = _order(data, results.metrics)
    return Ablation(data.sort_values(joined, key=lambda column: column.map(order.get), ignore_index=True))


def size(info: Ablation) -> tuple[float, float]:
    """Two rows of panels, higher with more arms."""
    return PAGE, 2 * (0.6 + 0.2 * info.data["arm"].nunique()) + 0.3 * (info.data["mode"].nunique() > 1)


def draw(ax: Axes, info: Ablation) -> None:
    """Bars above, differences below, one column of panels a metric."""
    metrics = info.data["metric"].unique()
    axes = panels(ax, 2, len(metrics), sharey="row")
    modes = list(info.data["mode"].unique())
    for (bars, differences), (metric, part) in zip(axes.T, info.data.groupby("metric", sort=False), strict=True):
        rank = {arm: n for n, arm in enumerate(part["arm"].unique())}
        for n, mode in enumerate(modes):
            rows = part[part["mode"] == mode]
            place = rows["arm"].map(rank) + (n - (len(modes) - 1) / 2) * 0.4
            _draw_bars(bars, rows, place, 0.7 / len(modes), look(n))
            not_full = rows["arm"] != FULL
            _draw_differences(differences, rows[not_full], place[not_full] - 1, 0.8 / len(modes), look(n))
        bars.set_title(f"{metric_title(str(metric))}, test")
        differences.axvline(0, color=BLACK, linewidth=0.6)
        differences.set_xlabel("1000 × (arm − full)")
        differences.margins(x=0.12)
    for row, arms in zip(axes, (info.data, info.data[info.data["arm"] != FULL]), strict=True):
        names = arms.drop_duplicates("arm")["title"]
        row[0].set_yticks(range(len(names)), names)
        row[0].set_ylim(len(names) - 0.4, -0.6)
        for panel in row:
            panel.tick_params(axis="y", length=0)
            panel.grid(axis="y", visible=False)
            panel.xaxis.set_major_locator(MaxNLocator(nbins=4))
    if len(modes) > 1:
        axes[0, 0].figure.legend(axes[0, 0].containers, modes, loc="outside upper center", ncols=2)


def _draw_bars(ax: Axes, rows: pd.DataFrame, place: pd.Series, height: float, how: Look) -> None:
    fill = {"color": how.color, "alpha": 0.75, "hatch": how.hatch, "edgecolor": "white", "linewidth": 0}
    ax.barh(place, rows["value"], height, **fill)
    for seed in [name for name in rows.columns if name.startswith("seed ")]:
        ax.plot(rows[seed], place, "o", color=BLACK, markersize=1.6, markeredgewidth=0)


def _draw_differences(ax: Axes, rows: pd.DataFrame, place: pd.Series, height: float, how: Look) -> None:
    numbers = ["difference", "low", "high", "margin"]
    rows = rows.assign(**{name: 1000 * rows[name] for name in numbers})  # short tick labels
    ax.barh(place, 2 * rows["margin"], height, left=-rows["margin"], color=PALE, alpha=0.5, zorder=0)
    ends = [rows["difference"] - rows["low"], rows["high"] - rows["difference"]]
    ax.errorbar(rows["difference"], place, xerr=ends, fmt=how.marker, color=how.color, elinewidth=1, capsize=2)
    for row, y in zip(rows.itertuples(), place, strict=True):
        x = row.high if np.isfinite(row.high) else row.difference
        mark = "≈" if row.verdict == "equivalent" else stars(row.p_adjusted)
        ax.annotate(mark, (x, y), xytext=(3, -1), textcoords="offset points", va="center", color=BLACK)


def _order(data: pd.DataFrame, metrics: list[str]) -> dict[str, int]:
    """Sort keys: metrics as in the tables, modes by name, the full model, arms by the first metric's difference."""
    first = data[data["metric"] == metrics[0]].groupby("arm", sort=False)["difference"].mean()
    arms = first.drop(FULL).sort_values(ascending=False, kind="stable").index
    names = [*metrics, *sorted(data["mode"].unique()), FULL, *arms]
    return {name: n for n, name in enumerate(names)}

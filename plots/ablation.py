"""Figure: every arm's test metrics, and its differences to the full model with their intervals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from plots.arms import finished_runs, shown_metrics, title
from plots.figure import MissingRecordsError
from plots.style import BLACK, GREY, PAGE, Look, look, panels
from study.arms import FULL
from study.comparisons import compare_with_full, stars
from study.records import Study
from study.tables.measurements import metric_title

CAPTION = (
    "Ablations on test. Above: means over users and seeds, from 0; dots are single seeds. Below: differences to "
    "the full model with 95 % intervals for new users and seeds (crossed random effects). Stars: p below .05, "
    ".01, .001 after Holm's correction over all comparisons shown. Arms are in the order of the first metric's "
    "difference."
)


class Ablation(NamedTuple):
    """One row of ``data`` per metric, mode and arm, the full model first.

    ``data``: ``metric, mode, arm, title, value`` (mean over users and seeds), what ``compare_with_full`` says of it
    (``difference, low, high, p, p_holm``; empty for the full model), then the mean of each seed.
    """

    data: pd.DataFrame


def compute(study: Study) -> Ablation:
    """Collect the arms and compare them with the full model."""
    runs = finished_runs(study)
    metrics = shown_metrics(next(iter(next(iter(runs.values())).values())))
    rows = []
    for metric in metrics:
        for (mode, arm), by_seed in runs.items():
            means = {f"seed {seed}": run.test.means()[metric] for seed, run in by_seed.items() if run.test is not None}
            name = title(next(iter(by_seed.values())))
            value = float(np.mean(list(means.values())))
            rows.append({"metric": metric, "mode": mode, "arm": arm, "title": name, "value": value, **means})
    compared = compare_with_full([study], metrics)
    if compared.empty:
        raise MissingRecordsError("no ablation arm shares a seed with the full model")
    columns = ["metric", "mode", "arm", "difference", "low", "high", "p", "p_holm"]
    data = pd.DataFrame(rows).merge(compared[columns], how="left", on=columns[:3], sort=False)
    seeds = [name for name in data.columns if name.startswith("seed ")]
    data = data[["metric", "mode", "arm", "title", "value", *columns[3:], *seeds]]
    order = _order(data)
    return Ablation(data.sort_values(["metric", "arm", "mode"], key=lambda c: c.map(order.get), ignore_index=True))


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
            _draw_differences(differences, rows[not_full], place[not_full] - 1, look(n))
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


def _draw_differences(ax: Axes, rows: pd.DataFrame, place: pd.Series, how: Look) -> None:
    rows = rows.assign(**{name: 1000 * rows[name] for name in ("difference", "low", "high")})  # short tick labels
    ends = [rows["difference"] - rows["low"], rows["high"] - rows["difference"]]
    ax.errorbar(rows["difference"], place, xerr=ends, fmt=how.marker, color=how.color, elinewidth=1, capsize=2)
    for row, y in zip(rows.itertuples(), place, strict=True):
        x = row.high if np.isfinite(row.high) else row.difference
        offset = {"xytext": (2, -1), "textcoords": "offset points", "va": "center"}
        ax.annotate(stars(row.p_holm), (x, y), color=GREY, **offset)


def _order(data: pd.DataFrame) -> dict[str, float]:
    """Sort keys of metrics and modes (as they come) and of arms (full first, then by the first metric's difference)."""
    first = data[data["metric"] == data["metric"].iloc[0]].groupby("arm", sort=False)["difference"].mean()
    arms = [FULL, *first.drop(FULL).sort_values(ascending=False, kind="stable").index]
    names = [*data["metric"].unique(), *sorted(data["mode"].unique()), *arms]
    return {name: n for n, name in enumerate(names)}

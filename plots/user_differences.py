"""Figure: how single users' test metric differs between an arm and the full model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from plots.lib.arms import finished_runs, per_user, title
from plots.lib.figure import MissingRecordsError
from plots.lib.figures import register_figure
from plots.lib.style import BLACK, BLUE, ORANGE, PAGE, panels
from study.analysis.metrics import main_metric, metric_title
from study.analysis.results import Results
from study.records.arm_names import FULL

register_figure(__name__, place=110)

TITLE = "Differences of single users"
CAPTION = (
    "Paired differences of single users, arm minus full, each user averaged over the seeds that both finished. "
    "Users without any difference are not drawn; the shares say how many of all are worse and better. Line: the mean "
    "over all users."
)
COLUMNS, BINS = 4, 30
HEADROOM = 1.35  # above the highest bar, for the shares


class UserDifferences(NamedTuple):
    """``data``: ``mode, arm, title, low, high`` (a bin), ``share`` (of all users), ``worse, equal, better, mean``."""

    data: pd.DataFrame
    metric: str


def compute(results: Results) -> UserDifferences:
    """Count users per bin; all arms share the bins, and zero is an edge; arms in order of their means."""
    study = results.study
    runs = finished_runs(study)
    metric = main_metric(results.metrics)
    differences = {}
    for (mode, arm), by_seed in runs.items():
        seeds = sorted(set(by_seed) & set(runs.get((mode, FULL), {})))
        if arm != FULL and seeds:
            full = per_user([runs[mode, FULL][seed] for seed in seeds], metric)
            change = (per_user([by_seed[seed] for seed in seeds], metric) - full).mean(axis=0)
            differences[mode, arm, title(by_seed[seeds[0]])] = change
    if not differences:
        raise MissingRecordsError("no ablation arm shares a seed with the full model")
    differences = dict(sorted(differences.items(), key=lambda item: -item[1].mean()))
    reach = max(np.abs(change).max() for change in differences.values()) or 1.0
    edges = np.linspace(-reach, reach, BINS + 1)
    parts = []
    for (mode, arm, name), change in differences.items():
        counts, _ = np.histogram(change[change != 0], edges)
        part = pd.DataFrame({"mode": mode, "arm": arm, "title": name, "low": edges[:-1], "high": edges[1:]})
        shares = {"worse": np.mean(change < 0), "equal": np.mean(change == 0), "better": np.mean(change > 0)}
        parts.append(part.assign(share=counts / len(change), **shares, mean=change.mean()))
    return UserDifferences(pd.concat(parts, ignore_index=True), metric)


def size(info: UserDifferences) -> tuple[float, float]:
    """A row of height 1.5 per four arms."""
    return PAGE, 1.5 * -(-len(info.data) // BINS // COLUMNS) + 0.2


def draw(ax: Axes, info: UserDifferences) -> None:
    """One histogram an arm, all on the same axes."""
    groups = list(info.data.groupby(["mode", "arm"], sort=False))
    columns = min(COLUMNS, len(groups))
    axes = panels(ax, -(-len(groups) // columns), columns, sharex=True, sharey=True)
    several_modes = info.data["mode"].nunique() > 1
    for n, (panel, ((mode, _), part)) in enumerate(zip(axes.ravel(), groups, strict=False)):
        colors = np.where(part["high"] <= 0, ORANGE, BLUE)
        panel.bar(part["low"], part["share"], part["high"] - part["low"], align="edge", color=colors, linewidth=0)
        first = part.iloc[0]
        panel.axvline(first["mean"], color=BLACK, linewidth=1)
        panel.set_title(f"{first['title']}{f', {mode}' if several_modes else ''}", fontsize=6.5)
        for x, side, where in ((0.02, "worse", "left"), (0.98, "better", "right")):
            text = f"{first[side]:.0%}\n{side}"
            panel.text(x, 0.99, text, transform=panel.transAxes, ha=where, va="top", fontsize=6)
        panel.xaxis.set_major_locator(MaxNLocator(nbins=4, symmetric=True))
        panel.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 5, 10]))
        panel.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g}%"))
        panel.set_ylim(0, HEADROOM * (info.data["share"].max() or 1.0))  # nobody may have changed
        if n + columns >= len(groups):
            panel.set_xlabel(f"{metric_title(info.metric)} difference")
            panel.tick_params(labelbottom=True)
    for row in axes:
        row[0].set_ylabel("share of users")
    for panel in axes.ravel()[len(groups) :]:
        panel.remove()

"""Figure: the metric against each hyper-parameter, one small panel each, all complete trials and a robust trend."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, Locator, LogLocator, MaxNLocator, NullLocator, StrMethodFormatter
from statsmodels.nonparametric.smoothers_lowess import lowess

from plots.lib.figure import MissingRecordsError
from plots.lib.figures import register_figure
from plots.lib.labels import parameter_label
from plots.lib.style import BLACK, BLUE, COLUMN, ORANGE, PAGE, panels
from plots.lib.trials import complete_trials, is_numeric, log_scaled, objective
from study.analysis.metrics import metric_title
from study.analysis.results import Results

register_figure(__name__, place=20)

TITLE = "Sensitivity"
CAPTION = (
    "Validation metric against each hyper-parameter: one point a complete trial, all other parameters varying "
    "with it. Line: robust local regression (lowess), from 12 trials on; dash: the median of a value that three or "
    "more trials have. Star: the best trial. Samplers look where results are good, so sparse regions say little."
)
COLUMNS = 5
FEW = 7  # a parameter with at most so many values is shown by their medians
ENOUGH = 12  # a regression through fewer trials would follow single points
APART = 0.4  # least distance of two ticks, as a share of a logarithmic axis
REPEATED = 3  # a median of fewer trials is one of them, or the middle of two


class Sensitivity(NamedTuple):
    """``data``: ``parameter, number, x, value, trend``; ``trend`` at ``x``, empty where trials are too few for one."""

    data: pd.DataFrame
    metric: str
    log_scaled: frozenset[str]


def compute(results: Results) -> Sensitivity:
    """Collect complete trials and fit each parameter's trend; parameters that did not vary are left out."""
    study = results.study
    table = complete_trials(study)
    if len(table.columns) == 2:
        raise MissingRecordsError("no two complete trials that differ in a parameter")
    logs = log_scaled(study, table)
    parts = []
    for name in table.columns[2:]:
        part = table[["number", "value"]].assign(parameter=name, x=table[name]).sort_values(["x", "number"])
        part["trend"] = _trend(part["x"], part["value"], log=name in logs)
        parts.append(part[["parameter", "number", "x", "value", "trend"]])
    return Sensitivity(pd.concat(parts, ignore_index=True), objective(study), logs)


def size(info: Sensitivity) -> tuple[float, float]:
    """A row of height 1.35 per five parameters, below the key; two fit in a column."""
    count = info.data["parameter"].nunique()
    return COLUMN if count <= 2 else PAGE, 1.35 * -(-count // COLUMNS) + 0.3


def draw(ax: Axes, info: Sensitivity) -> None:
    """One panel a parameter, all on the same vertical axis."""
    groups = list(info.data.groupby("parameter", sort=False))
    columns = min(COLUMNS, len(groups))
    axes = panels(ax, -(-len(groups) // columns), columns, sharey=True)
    best = info.data.loc[info.data["value"].idxmax(), "number"]
    for panel, (name, part) in zip(axes.ravel(), groups, strict=False):
        x = part["x"].infer_objects()
        few, star = x.nunique() <= FEW, part["number"] == best
        panel.scatter(x, part["value"], s=8, color=BLUE, alpha=0.55, linewidth=0, zorder=3, label="complete trial")
        if part["trend"].notna().any():
            # Medians are not joined: between two values of a choice there is nothing.
            how = {"marker": "_", "markersize": 9, "linestyle": ""} if few else {"linewidth": 1}
            panel.plot(x, part["trend"], color=BLACK, zorder=4, label="trend", **how)
        edge = {"markeredgecolor": BLACK, "markeredgewidth": 0.5}
        panel.plot(
            x[star], part.loc[star, "value"], "*", color=ORANGE, markersize=8, zorder=5, label="best trial", **edge
        )
        panel.set_title(parameter_label(str(name)))
        panel.yaxis.set_major_locator(MaxNLocator(nbins=5))
        panel.margins(x=0.09)
        scale(panel, x, log=name in info.log_scaled)
    for row in axes:
        row[0].set_ylabel(metric_title(info.metric))
    for panel in axes.ravel()[len(groups) :]:
        panel.remove()
    handles = {
        label: handle
        for panel in axes.ravel()[: len(groups)]
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    axes[0, 0].figure.legend(handles.values(), handles.keys(), loc="outside upper right", ncols=3)


def _trend(x: pd.Series, value: pd.Series, *, log: bool) -> np.ndarray | pd.Series:
    if not is_numeric(x) or x.nunique() <= FEW:
        values = value.groupby(x)
        return values.transform("median").where(values.transform("size") >= REPEATED)
    if len(x) < ENOUGH:
        return np.full(len(x), np.nan)
    return lowess(value, np.log(x) if log else x, frac=2 / 3, it=3, is_sorted=True, return_sorted=False)


def scale(panel: Axes, x: pd.Series, *, log: bool) -> None:
    """The horizontal axis of a parameter's small panel: few ticks, plain numbers."""
    if log:
        panel.set_xscale("log")
        panel.xaxis.set_major_locator(_log_ticks(float(x.min()), float(x.max())))
        panel.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        panel.xaxis.set_minor_locator(NullLocator())
    elif is_numeric(x) and x.nunique() <= 4:
        panel.set_xticks(sorted(set(x)))
    elif is_numeric(x):
        panel.xaxis.set_major_locator(MaxNLocator(nbins=4))


def _log_ticks(low: float, high: float) -> Locator:
    """Powers of ten where two of them are in sight, else two of the numbers 1, 2 and 5 times one, else even steps."""
    powers = [10.0**n for n in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
    if sum(low <= power <= high for power in powers) >= 2:
        return LogLocator(numticks=3)
    # Written as text and read again: 3 * 10.0**-1 is not 0.3.
    between = [tick for power in powers for m in (1, 2, 5) if low <= (tick := float(f"{m * power:g}")) <= high]
    apart = [tick for n, tick in enumerate(between) if n == 0 or tick / between[0] >= (high / low) ** APART]
    return FixedLocator([apart[0], apart[-1]]) if len(apart) >= 2 else MaxNLocator(nbins=2, min_n_ticks=2)

"""Figure: the metric against each hyper-parameter: all complete trials, and what a surrogate makes of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, Locator, LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

from plots.lib.figure import MissingRecordsError
from plots.lib.figures import register_figure
from plots.lib.labels import parameter_label
from plots.lib.style import BLACK, BLUE, COLUMN, ORANGE, PAGE, panels
from plots.lib.trials import complete_trials, is_numeric, log_scaled, objective
from study.analysis.metrics import metric_title
from study.analysis.results import Results
from study.analysis.stats.partial_dependence import Surrogate

register_figure(__name__, place=20)

TITLE = "Sensitivity"
CAPTION = (
    "Validation metric against each hyper-parameter: one point a complete trial, all other parameters varying with it. "
    "Star: the best trial. Line and band, bars where there are few values: mean prediction of a surrogate (a Gaussian "
    "process) when this parameter alone is changed in every trial, and its 95 % band. They are drawn from 15 trials "
    "on, where trials are near, and only if the surrogate predicts trials that it was not shown."
)
COLUMNS = 5
FEW = 7  # a parameter with at most so many values is shown value by value
ENOUGH = 15  # complete trials for a surrogate
EXPLAINED = 0.15  # least share of the variance that it must predict of trials left out
POINTS = 33  # of a line
NEAR, NEARBY = 0.12, 3  # a line needs so many trials within this share of the axis
APART = 0.4  # least distance of two ticks, as a share of a logarithmic axis


class Sensitivity(NamedTuple):
    """``data``: ``parameter, kind, number, x, value, low, high``.

    ``kind`` is ``trial`` (``number``, ``value``) or ``surrogate`` (``value`` with its band ``low`` to ``high`` at
    ``x``). ``explained`` is the share of the variance that the surrogate predicts of trials left out; NaN without one.
    """

    data: pd.DataFrame
    metric: str
    log_scaled: frozenset[str]
    explained: float


def compute(results: Results) -> Sensitivity:
    """Collect complete trials and fit the surrogate; parameters that did not vary are left out."""
    study = results.study
    table = complete_trials(study)
    if len(table.columns) == 2:
        raise MissingRecordsError("no two complete trials that differ in a parameter")
    logs = log_scaled(study, table)
    names = [str(name) for name in table.columns[2:]]
    columns = {name: _columns(table[name], log=name in logs) for name in names}
    surrogate = _surrogate(list(columns.values()), table["value"])
    parts = []
    for place, name in enumerate(names):
        trials = table[["number", "value"]].assign(parameter=name, kind="trial", x=table[name])
        parts.append(trials.sort_values(["x", "number"]))
        if surrogate is not None:
            start = sum(each.shape[1] for each in list(columns.values())[:place])
            parts.append(_curve(surrogate, start, table[name], log=name in logs).assign(parameter=name))
    data = pd.concat(parts, ignore_index=True)
    data = data.reindex(columns=["parameter", "kind", "number", "x", "value", "low", "high"])
    return Sensitivity(data, objective(study), logs, math.nan if surrogate is None else surrogate.explained)


def size(info: Sensitivity) -> tuple[float, float]:
    """A row of height 1.35 per five parameters, below the key; two fit in a column."""
    count = info.data["parameter"].nunique()
    return COLUMN if count <= 2 else PAGE, 1.35 * -(-count // COLUMNS) + 0.3


def draw(ax: Axes, info: Sensitivity) -> None:
    """One panel a parameter, all on the same vertical axis."""
    groups = list(info.data.groupby("parameter", sort=False))
    columns = min(COLUMNS, len(groups))
    axes = panels(ax, -(-len(groups) // columns), columns, sharey=True)
    trials = info.data[info.data["kind"] == "trial"]
    best = trials.loc[trials["value"].idxmax(), "number"]
    for panel, (name, part) in zip(axes.ravel(), groups, strict=False):
        own = part[part["kind"] == "trial"]
        x, star = own["x"].infer_objects(), own["number"] == best
        panel.scatter(x, own["value"], s=8, color=BLUE, alpha=0.55, linewidth=0, zorder=3, label="complete trial")
        _draw_curve(panel, part[part["kind"] == "surrogate"], few=_is_few(x))
        edge = {"markeredgecolor": BLACK, "markeredgewidth": 0.5}
        panel.plot(
            x[star], own.loc[star, "value"], "*", color=ORANGE, markersize=8, zorder=5, label="best trial", **edge
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


def _draw_curve(panel: Axes, curve: pd.DataFrame, *, few: bool) -> None:
    """Nothing is joined where there is nothing between: values of a choice, and stretches without trials."""
    if not curve["value"].notna().any():
        return
    x = curve["x"].infer_objects()
    if few:
        ends = [curve["value"] - curve["low"], curve["high"] - curve["value"]]
        bar = {"fmt": "_", "markersize": 9, "elinewidth": 1, "zorder": 4}
        panel.errorbar(x, curve["value"], yerr=ends, color=BLACK, label="surrogate", **bar)
    else:
        panel.fill_between(x.astype(float), curve["low"], curve["high"], color=BLACK, alpha=0.15, linewidth=0, zorder=2)
        panel.plot(x, curve["value"], color=BLACK, linewidth=1, zorder=4, label="surrogate")


def _surrogate(columns: Sequence[np.ndarray], values: pd.Series) -> Surrogate | None:
    """None where trials are too few, equal, or say nothing that holds for the next one."""
    if len(values) < ENOUGH or values.nunique() == 1:
        return None
    surrogate = Surrogate(np.hstack(columns), values.to_numpy(float))
    return surrogate if surrogate.explained >= EXPLAINED else None


def _curve(surrogate: Surrogate, start: int, x: pd.Series, *, log: bool) -> pd.DataFrame:
    """The surrogate's prediction at values of one parameter; empty (NaN) where trials are not near."""
    few = _is_few(x)
    if few:
        at = pd.Series(sorted(x.unique(), key=None if is_numeric(x) else str))
        near = at.map(lambda value: int((x == value).sum()) >= NEARBY)
    else:
        between = np.geomspace if log else np.linspace
        at = pd.Series(between(float(x.min()), float(x.max()), POINTS))
        places = _unit(x.astype(float), x, log=log)
        near = pd.Series([int((np.abs(places - here) <= NEAR).sum()) >= NEARBY for here in _unit(at, x, log=log)])
    settings = _columns(at, among=x, log=log)
    dependence = surrogate.dependence(range(start, start + settings.shape[1]), settings)
    curve = pd.DataFrame({"kind": "surrogate", "x": at, **dependence._asdict()}).rename(columns={"mean": "value"})
    curve.loc[~near.to_numpy(), ["value", "low", "high"]] = np.nan
    return curve


def _columns(values: pd.Series, *, log: bool, among: pd.Series | None = None) -> np.ndarray:
    """Values of a parameter in [0, 1]: one column of numbers, or one a name."""
    among = values if among is None else among
    if is_numeric(among):
        return _unit(values.astype(float), among, log=log)[:, None]
    return np.array([[float(value == name) for name in sorted(among.unique())] for value in values])


def _unit(values: pd.Series, among: pd.Series, *, log: bool) -> np.ndarray:
    """Where values lie between the least and the largest of the trials."""
    place = np.log if log else np.asarray
    low, high = float(place(float(among.min()))), float(place(float(among.max())))
    return np.clip((place(values.to_numpy(float)) - low) / (high - low), 0.0, 1.0)


def _is_few(x: pd.Series) -> bool:
    return not is_numeric(x) or x.nunique() <= FEW


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

"""Figure of several studies: one-factor sweeps, one panel a parameter, one line a dataset, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter
from scipy import stats

from plots.figure import MissingRecordsError
from plots.style import PAGE, look, panels
from plots.trials import complete_trials, is_numeric, log_scaled, objective
from plots.words import parameter_label
from study.records import Study
from study.tables.measurements import metric_title

CAPTION = (
    "One-factor sweeps: validation metric relative to the best value of the sweep, everything else fixed, one line a "
    "dataset. Whiskers: 95 % t-intervals of the paired difference to the best value over users; one seed a value, so "
    "differences between seeds come on top."
)
COLUMNS = 3


class Sweeps(NamedTuple):
    """``data``: ``parameter, dataset, x, value`` (mean over users), ``change, low, high`` (in % of the best)."""

    data: pd.DataFrame
    metric: str
    log_scaled: frozenset[str]


def compute(studies: Sequence[Study]) -> Sweeps:
    """Collect the studies in which one numeric parameter varied; all must have searched for the same metric."""
    parts, logs, metrics = [], set[str](), set[str]()
    for study in studies:
        table = complete_trials(study)
        if len(table.columns) == 3 and is_numeric(table.iloc[:, 2]):
            parts.append(_sweep(study, table))
            logs |= log_scaled(study, table)
            metrics.add(objective(study))
    if len(metrics) != 1:
        searched = f" ({', '.join(sorted(metrics))})" if metrics else ""
        raise MissingRecordsError(f"no studies that sweep one parameter (--space sweep-...) by one metric{searched}")
    return Sweeps(pd.concat(parts, ignore_index=True), metrics.pop(), frozenset(logs))


def size(info: Sweeps) -> tuple[float, float]:
    """A row of height 1.7 per three parameters, below the key."""
    return PAGE, 1.7 * -(-info.data["parameter"].nunique() // COLUMNS) + 0.3


def draw(ax: Axes, info: Sweeps) -> None:
    """Datasets keep their look in all panels."""
    groups = list(info.data.groupby("parameter", sort=False))
    columns = min(COLUMNS, len(groups))
    axes = panels(ax, -(-len(groups) // columns), columns, sharey=True)
    looks = {dataset: look(n) for n, dataset in enumerate(info.data["dataset"].unique())}
    handles = {}
    for panel, (name, part) in zip(axes.ravel(), groups, strict=False):
        for dataset, line in part.groupby("dataset", sort=False):
            how = looks[dataset]
            ends = [line["change"] - line["low"], line["high"] - line["change"]]
            style = {"color": how.color, "marker": how.marker, "linestyle": how.linestyle}
            handles[dataset] = panel.errorbar(line["x"], line["change"], yerr=ends, capsize=2, elinewidth=0.7, **style)
        panel.set_title(parameter_label(str(name)))
        if name in info.log_scaled:
            panel.set_xscale("log")
            panel.xaxis.set_major_locator(LogLocator(numticks=5))
            panel.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            panel.xaxis.set_minor_formatter(NullFormatter())
        else:
            panel.xaxis.set_major_locator(MaxNLocator(nbins=5))
    for row in axes:
        row[0].set_ylabel(f"{metric_title(info.metric)}, % of best")
    for panel in axes.ravel()[len(groups) :]:
        panel.remove()
    axes[0, 0].figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=5)


def _sweep(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """Every value's paired difference, user by user, to the best value."""
    metric, name = objective(study), str(table.columns[2])
    users = {t.number: t.validation.values[metric] for t in study.trials if t.validation is not None}
    best = np.asarray(users[table.loc[table["value"].idxmax(), "number"]])
    rows = []
    for number, _, x in table.sort_values(name).itertuples(index=False):
        difference = 100 * (np.asarray(users[number]) - best) / best.mean()
        low = high = 0.0  # of the best to itself
        if difference.any():
            low, high = stats.ttest_1samp(difference, 0).confidence_interval(0.95)
        rows.append((name, study.dataset, x, users[number].mean(), difference.mean(), low, high))
    return pd.DataFrame(rows, columns=["parameter", "dataset", "x", "value", "change", "low", "high"])

"""Figure of several studies: one-factor sweeps, one panel a parameter, one line a dataset, with intervals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator
from scipy import stats

from plots.lib.figure import MissingRecordsError
from plots.lib.figures import register_figure
from plots.lib.labels import parameter_label
from plots.lib.style import PAGE, key_columns, look, panels
from plots.lib.trials import complete_trials, is_numeric, log_scaled, objective
from study.analysis.metrics import metric_title
from study.analysis.results import Results
from study.records.study import Study

register_figure(__name__, place=30, joint=True)

TITLE = "One-factor sweeps"
CAPTION = (
    "One-factor sweeps: validation metric relative to the best value of the sweep, everything else fixed, one line a "
    "dataset. Whiskers: 95 % t-intervals of the paired difference to the best value over users; one seed a value, so "
    "differences between seeds come on top. Datasets are set a little apart sideways."
)
COLUMNS = 3
APART = 0.015  # between the whiskers of two datasets at one value, as a share of the axis
LETTER = 0.032  # width of a tick's letter, as a share of a panel's


class Sweeps(NamedTuple):
    """``data``: ``parameter, dataset, x, value`` (mean over users), ``change, low, high`` (in % of the best)."""

    data: pd.DataFrame
    metric: str
    log_scaled: frozenset[str]


def compute(results: Results) -> Sweeps:
    """Collect the studies in which one numeric parameter varied; all must have searched for the same metric."""
    studies = results.studies
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
    datasets = list(info.data["dataset"].unique())
    looks = {dataset: look(n) for n, dataset in enumerate(datasets)}
    aside = {dataset: APART * (n - (len(datasets) - 1) / 2) for n, dataset in enumerate(datasets)}
    handles = {}
    for panel, (name, part) in zip(axes.ravel(), groups, strict=False):
        for dataset, line in part.groupby("dataset", sort=False):
            how = looks[dataset]
            ends = [line["change"] - line["low"], line["high"] - line["change"]]
            style = {"color": how.color, "marker": how.marker, "linestyle": how.linestyle}
            x = _moved(line["x"], part["x"], aside[dataset], log=name in info.log_scaled)
            handles[dataset] = panel.errorbar(x, line["change"], yerr=ends, capsize=2, elinewidth=0.7, **style)
        panel.set_title(parameter_label(str(name)))
        if name in info.log_scaled:
            panel.set_xscale("log")
            panel.xaxis.set_minor_locator(NullLocator())
        panel.margins(x=0.08)
        _tick_values(panel, np.unique(part["x"]), log=name in info.log_scaled)
    for row in axes:
        row[0].set_ylabel(f"{metric_title(info.metric)}, % from best")
    for panel in axes.ravel()[len(groups) :]:
        panel.remove()
    axes[0, 0].figure.legend(
        handles.values(), handles.keys(), loc="outside upper center", ncols=key_columns(len(handles))
    )


def _moved(x: pd.Series, among: pd.Series, share: float, *, log: bool) -> pd.Series:
    """``x`` moved along the axis by a share of what ``among`` spans."""
    if log:
        return x * (among.max() / among.min()) ** share
    return x + share * (among.max() - among.min())


def _tick_values(panel: Axes, values: np.ndarray, *, log: bool) -> None:
    """A tick at every value that was tried; labels only where they do not run into the one before."""
    labels = [f"{value:.4g}" for value in values]
    place = np.log(values) if log else values
    place = (place - place[0]) / (place[-1] - place[0])
    end = -np.inf
    for n, label in enumerate(labels):
        half = LETTER * len(label) / 2
        if place[n] - half < end:
            labels[n] = ""
        else:
            end = place[n] + half + LETTER
    panel.set_xticks(values, labels)


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

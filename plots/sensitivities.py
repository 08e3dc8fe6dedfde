"""Figure of several studies: the metric against each hyper-parameter, one line with its band a dataset, shared axes."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from statsmodels.nonparametric.smoothers_lowess import lowess

from plots.lib.figure import MissingRecordsError
from plots.lib.figures import register_figure
from plots.lib.labels import parameter_label
from plots.lib.style import COLUMN, PAGE, key_columns, look, panels
from plots.lib.trials import complete_trials, is_numeric, log_scaled, objective
from plots.sensitivity import COLUMNS, FEW, scale
from study.analysis.metrics import metric_title
from study.analysis.results import Results

register_figure(__name__, place=20, joint=True)

TITLE = "Sensitivity on every dataset"
CAPTION = (
    "Validation metric against each hyper-parameter, in % of each search's best trial, all other parameters varying "
    "with it. Line: robust local regression (lowess), or the median of each value where there are few. Band: 95 % of "
    "the lines through resampled trials, where most of them reach. Samplers look where results are good, so sparse "
    "regions say little."
)
ENOUGH = 8  # trials for a line; its band shows how little fewer than a dozen tell
POINTS = 25  # of a line
RESAMPLES = 200
MISSING = 0.5  # no band where more than so many of the resampled lines do not reach


class Sensitivities(NamedTuple):
    """``data``: ``parameter, dataset, x, change, low, high`` (in % of the study's best trial)."""

    data: pd.DataFrame
    metric: str
    log_scaled: frozenset[str]


def compute(results: Results) -> Sensitivities:
    """Fit each study's lines; one study per dataset, all searched for the same metric."""
    studies = results.studies
    parts, logs, metrics = [], set[str](), set[str]()
    datasets = [study.dataset for study in studies]
    for study in studies:
        table = complete_trials(study)
        names = [str(name) for name in table.columns[2:] if is_numeric(table[name])]
        if len(names) >= 2 and len(table) >= ENOUGH and datasets.count(study.dataset) == 1:
            change = 100 * (table["value"] / table["value"].max() - 1)
            logs |= log_scaled(study, table)
            metrics.add(objective(study))
            lines = [(name, _line(table[name], change, log=name in logs)) for name in names]
            parts += [line.assign(parameter=name, dataset=study.dataset) for name, line in lines]
    if len({part["dataset"].iloc[0] for part in parts}) < 2 or len(metrics) != 1:
        raise MissingRecordsError(
            f"fewer than two datasets were searched over several parameters by one metric with {ENOUGH} complete trials"
        )
    columns = ["parameter", "dataset", "x", "change", "low", "high"]
    return Sensitivities(pd.concat(parts, ignore_index=True)[columns], metrics.pop(), frozenset(logs))


def size(info: Sensitivities) -> tuple[float, float]:
    """A row of height 1.35 per five parameters, below the key; two fit in a column."""
    count = info.data["parameter"].nunique()
    return COLUMN if count <= 2 else PAGE, 1.35 * -(-count // COLUMNS) + 0.3


def draw(ax: Axes, info: Sensitivities) -> None:
    """One panel a parameter, all on the same vertical axis; datasets keep their look."""
    groups = list(info.data.groupby("parameter", sort=False))
    columns = min(COLUMNS, len(groups))
    axes = panels(ax, -(-len(groups) // columns), columns, sharey=True)
    looks = {dataset: look(n) for n, dataset in enumerate(info.data["dataset"].unique())}
    handles = {}
    for panel, (name, part) in zip(axes.ravel(), groups, strict=False):
        for dataset, line in part.groupby("dataset", sort=False):
            how = looks[dataset]
            panel.fill_between(line["x"], line["low"], line["high"], color=how.color, alpha=0.18, linewidth=0)
            (handles[dataset],) = panel.plot(line["x"], line["change"], color=how.color, linestyle=how.linestyle)
        panel.set_title(parameter_label(str(name)))
        panel.yaxis.set_major_locator(MaxNLocator(nbins=5))
        panel.margins(x=0.05)
        scale(panel, part["x"], log=name in info.log_scaled)
    for row in axes:
        row[0].set_ylabel(f"{metric_title(info.metric)}, % from best")
    for panel in axes.ravel()[len(groups) :]:
        panel.remove()
    axes[0, 0].figure.legend(
        handles.values(), handles.keys(), loc="outside upper center", ncols=key_columns(len(handles))
    )


def _line(x: pd.Series, change: pd.Series, *, log: bool) -> pd.DataFrame:
    """The line through all trials, and the band of lines through resampled ones."""
    rng = np.random.default_rng(0)  # the same for each line: a figure that is drawn twice must not change
    values, changes = x.to_numpy(float), change.to_numpy(float)
    few = x.nunique() <= FEW
    if few:
        at = np.unique(values)
    else:
        at = (
            np.geomspace(values.min(), values.max(), POINTS) if log else np.linspace(values.min(), values.max(), POINTS)
        )
    place = np.log if log else np.asarray
    fit = _medians if few else _smooth
    lines = []
    for _ in range(RESAMPLES):
        chosen = rng.integers(len(values), size=len(values))
        lines.append(fit(place(values[chosen]), changes[chosen], place(at)))
    drawn = np.array(lines)
    drawn[:, np.isnan(drawn).mean(axis=0) > MISSING] = np.nan
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)  # a band has gaps where little is known
        low, high = np.nanpercentile(drawn, [2.5, 97.5], axis=0)
    return pd.DataFrame({"x": at, "change": fit(place(values), changes, place(at)), "low": low, "high": high})


def _smooth(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The line between the outermost trials, never beyond their values: a local slope is no forecast."""
    line = np.clip(lowess(y, x, frac=2 / 3, it=1, xvals=at), y.min(), y.max())
    return np.where((at >= x.min() - 1e-9) & (at <= x.max() + 1e-9), line, np.nan)


def _medians(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
    return np.array([np.median(y[x == value]) if (x == value).any() else np.nan for value in at])

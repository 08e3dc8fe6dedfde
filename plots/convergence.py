"""Figure: loss terms and the watched validation metric per epoch, one line a seed, mean and range over seeds."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from plots.lib.figure import MissingRecordsError
from plots.lib.figures import register_figure
from plots.lib.labels import loss_label
from plots.lib.style import BLUE, PAGE, panels
from study.analysis.metrics import metric_title
from study.analysis.results import Results
from study.records.study import RunRecord, Study

register_figure(__name__, place=60)

TITLE = "Convergence"
CAPTION = (
    "Training of the winner on fresh seeds: the validation metric that selects the epoch, then the loss terms without "
    "their weights, and the weighted total. Thin: one seed each. Thick: their mean, with their range, as far as all "
    "seeds ran. Diamonds: each seed's best epoch."
)
COLUMNS = 3
NOT_LOSSES = ("bound_", "clamped_", "club_fit", "seconds")  # what CLUB's own figure shows, and the clock


class Convergence(NamedTuple):
    """``data``: ``quantity, epoch, mean, low, high``, then one column a seed, empty after that seed's last epoch.

    ``mean``, ``low`` and ``high`` (the range) end where the first seed stopped: the mean of the rest would jump.
    """

    data: pd.DataFrame
    metric: str
    labels: dict[str, str]  # quantity -> title of its panel
    best_epochs: dict[str, int]  # seed column -> epoch


def compute(results: Results) -> Convergence:
    """Collect the winner's runs, or the best trial where there is no winner yet."""
    study = results.study
    runs = study.winner or _best_trial(study)
    metric = runs[0].config.valid_metric
    histories = {f"seed {run.seed}": run.history.set_index("epoch") for run in runs}
    first = next(iter(histories.values()))
    terms = [name for name in first.columns if "@" not in name and not name.startswith(NOT_LOSSES)]
    tables = []
    for quantity in [metric, *terms]:
        seeds = pd.DataFrame({name: history[quantity] for name, history in histories.items()})
        common = seeds.dropna()
        summary = pd.DataFrame({"mean": common.mean(axis=1), "low": common.min(axis=1), "high": common.max(axis=1)})
        table = summary.reindex(seeds.index).join(seeds).reset_index(names="epoch")
        table.insert(0, "quantity", quantity)
        tables.append(table)
    labels = {term: loss_label(term, runs[0].config) for term in terms}
    labels[metric] = f"{metric_title(metric)}, validation"
    best = {f"seed {run.seed}": run.best_epoch for run in runs}
    return Convergence(pd.concat(tables, ignore_index=True), metric, labels, best)


def size(info: Convergence) -> tuple[float, float]:
    """A row of height 1.45 per three panels."""
    rows = -(-info.data["quantity"].nunique() // COLUMNS)
    return PAGE, 1.45 * rows + 0.25


def draw(ax: Axes, info: Convergence) -> None:
    """One panel a quantity."""
    groups = list(info.data.groupby("quantity", sort=False))
    rows = -(-len(groups) // COLUMNS)
    axes = panels(ax, rows, COLUMNS, sharex=True).ravel()
    for n, (panel, (quantity, table)) in enumerate(zip(axes, groups, strict=False)):
        watched = quantity == info.metric
        for seed, best in info.best_epochs.items():
            panel.plot(table["epoch"], table[seed], color=BLUE, linewidth=0.5, alpha=0.6)
            if watched:
                value = table.loc[table["epoch"] == best, seed]
                panel.plot([best], value, "D", color=BLUE, markersize=3, markeredgecolor="white", markeredgewidth=0.4)
        panel.fill_between(table["epoch"], table["low"], table["high"], color=BLUE, alpha=0.18, linewidth=0)
        panel.plot(table["epoch"], table["mean"], color=BLUE)
        panel.set_title(info.labels[str(quantity)])
        panel.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        panel.yaxis.set_major_locator(MaxNLocator(nbins=5))
        if n + COLUMNS >= len(groups):
            panel.set_xlabel("epoch")
            panel.tick_params(labelbottom=True)
    for panel in axes[len(groups) :]:
        panel.remove()


def _best_trial(study: Study) -> list[RunRecord]:
    complete = [trial for trial in study.ranked_trials if trial.history is not None]
    if not complete:
        raise MissingRecordsError("no winner and no complete trial")
    return complete[:1]

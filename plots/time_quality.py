"""Figure: what quality costs: training time against the metric, for trials and for ablation arms."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from plots.lib.arms import finished_runs, per_user, title
from plots.lib.figure import MissingRecordsError
from plots.lib.figures import register_figure
from plots.lib.style import BLACK, BLUE, GREY, PAGE, panels, spread
from plots.lib.trials import objective
from study.analysis.metrics import main_metric, metric_title
from study.analysis.results import Results

register_figure(__name__, place=130)

TITLE = "Time against quality"
CAPTION = (
    "Training time (validation included) against quality, on this machine; steps: the best that each amount of time "
    "bought (Pareto front). Left: the complete trials of the search. Right: the ablation arms on test, mean and range "
    "over seeds; their time depends on when early stopping ended them."
)
COLUMNS = ["kind", "name", "seconds", "value", "low", "high"]


class TimeQuality(NamedTuple):
    """``data``: ``kind`` (``trial`` or ``arm``), ``name, seconds, value, low, high`` (range over seeds), ``front``."""

    data: pd.DataFrame
    trial_metric: str
    arm_metric: str


def compute(results: Results) -> TimeQuality:
    """Trials and frozen arms; trials answered by an equal earlier one cost nothing and are left out."""
    study = results.study
    rows = [
        {"kind": "trial", "name": f"trial {trial.number}", "seconds": trial.seconds, "value": trial.value}
        for trial in study.trials
        if trial.state == "complete" and trial.duplicate_of is None
    ]
    arm_metric = ""
    try:
        for (mode, _), by_seed in finished_runs(study).items():
            runs = list(by_seed.values())
            arm_metric = main_metric(results.metrics)
            if mode == "frozen":
                seconds = float(np.mean([run.seconds for run in runs]))
                values = per_user(runs, arm_metric).mean(axis=1)
                row = {"value": values.mean(), "low": values.min(), "high": values.max()}
                rows.append({"kind": "arm", "name": title(runs[0]), "seconds": seconds, **row})
    except MissingRecordsError:
        pass  # trials alone are worth a picture
    if not rows:
        raise MissingRecordsError("no complete trial and no frozen ablation arm")
    data = pd.DataFrame(rows, columns=COLUMNS).sort_values(["kind", "seconds", "value"], ascending=[True, True, False])
    best = data.groupby("kind")["value"].cummax()
    data["front"] = (data["value"] == best) & (best != best.groupby(data["kind"]).shift())
    return TimeQuality(data.reset_index(drop=True), objective(study), arm_metric)


def size(info: TimeQuality) -> tuple[float, float]:
    """The width of a page, higher with more arms."""
    return PAGE, max(2.2, 0.9 + 0.17 * int((info.data["kind"] == "arm").sum()))


def draw(ax: Axes, info: TimeQuality) -> None:
    """One panel for trials, one for arms, whichever there are."""
    kinds = [kind for kind in ("trial", "arm") if (info.data["kind"] == kind).any()]
    for panel, kind in zip(panels(ax, 1, len(kinds)).ravel(), kinds, strict=True):
        part = info.data[info.data["kind"] == kind]
        front = part[part["front"]]
        panel.plot(part["seconds"], part["value"], "o", color=BLUE)
        panel.vlines(part["seconds"], part["low"], part["high"], color=BLUE, linewidth=0.8)
        steps = [*front["seconds"], part["seconds"].max()], [*front["value"], front["value"].iloc[-1]]
        panel.step(*steps, where="post", color=BLACK, linewidth=0.8, zorder=1)
        panel.margins(x=0.08, y=0.1)
        panel.set_xlim(left=0)
        panel.xaxis.set_major_locator(MaxNLocator(nbins=5))
        panel.yaxis.set_major_locator(MaxNLocator(nbins=6))
        panel.set_xlabel("training time (s)")
        if kind == "arm":
            panel.set_ylabel(f"{metric_title(info.arm_metric)}, test")
            _label(panel, part)
        else:
            panel.set_ylabel(f"{metric_title(info.trial_metric)}, validation")


def _label(panel: Axes, part: pd.DataFrame) -> None:
    """Names in a column right of the axes, each joined to its point."""
    low, high = panel.get_ylim()
    height = panel.figure.get_figheight() - 0.6  # inches, about
    places = spread(part["value"].to_numpy(), gap=0.16 * (high - low) / height)
    leader = {"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "linestyle": ":", "shrinkA": 1, "shrinkB": 2}
    leader |= {"relpos": (0, 0.5)}  # from the name's left end: from its middle it would strike the name through
    for row, y in zip(part.itertuples(), places, strict=True):
        panel.annotate(
            row.name,
            (row.seconds, row.value),
            xytext=(1.06, y),
            textcoords=panel.get_yaxis_transform(),
            va="center",
            arrowprops=leader,
        )

"""Figure: from the base configuration to the winner, what each change brought on test, as a waterfall."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from plots.lib.figure import MissingRecordsError
from plots.lib.figures import register_figure
from plots.lib.labels import parameter_label
from plots.lib.style import BLACK, BLUE, PAGE, PALE, VERMILLION
from study.analysis.comparisons import WHOLE, runs_on_path, stars
from study.analysis.measurements import default_title, tuned_title
from study.analysis.metrics import metric_title
from study.analysis.results import Results
from study.records.path import short

register_figure(__name__, place=15)

TITLE = "Ablation path"
CAPTION = (
    "From the base configuration to the winner, one hyper-parameter at a time. Each bar leads from the test result "
    "before the change to the one after it; whisker: 95 % interval of the change for new users and seeds; dots: single "
    "seeds. Stars: p below .05, .01, .001, adjusted for all changes together. The order was chosen on validation, on "
    "other seeds; along another order a change may bring something else."
)
GAIN, LOSS = "gain", "loss"


class AblationPath(NamedTuple):
    """One row of ``data`` per configuration, the base configuration first.

    ``data``: ``label, level`` (test mean over users and seeds), ``before`` (that of the row above), ``difference, low,
    high, p_adjusted`` (paired, to the row above; empty for the first row), then the difference of each seed.
    """

    data: pd.DataFrame
    metric: str
    winner: str


def compute(results: Results) -> AblationPath:
    """Collect the tested configurations and their comparisons, exactly as the table does."""
    study = results.study
    path = study.path
    if path is None or not results.path:
        raise MissingRecordsError("no ablation path was walked (ablations/run_path.py)")
    metric = path.metric if path.metric in results.metrics else results.metrics[0]
    means = []
    for config_hash in path.configs:
        runs = runs_on_path(study, config_hash)
        means.append({seed: run.test.means()[metric] for seed, run in runs.items() if run.test and seed in path.seeds})
    compared = {line.arm: line for line in results.path if line.metric == metric and line.arm != WHOLE}
    rows: list[dict[str, object]] = [{"label": default_title(study), "level": np.mean(list(means[0].values()))}]
    for n, step in enumerate(path.steps, start=1):
        before, after = means[n - 1], means[n]
        line = compared.get(f"step {n}: {step.change}")
        row: dict[str, object] = {
            "label": f"{parameter_label(step.key)} {short(step.before)} → {short(step.after)}",
            "level": np.mean(list(after.values())) if after else np.nan,
            "before": np.mean(list(before.values())) if before else np.nan,
        }
        if line is not None:
            row |= {name: getattr(line, name) for name in ("difference", "low", "high", "p_adjusted")}
        row |= {f"seed {seed}": after[seed] - before[seed] for seed in path.seeds if seed in before and seed in after}
        rows.append(row)
    return AblationPath(pd.DataFrame(rows), metric, tuned_title(study))


def size(info: AblationPath) -> tuple[float, float]:
    """A line of height 0.24 per configuration."""
    return PAGE, 0.75 + 0.24 * (len(info.data) + 1)


def draw(ax: Axes, info: AblationPath) -> None:
    """The base configuration, the changes below each other, and the winner."""
    data = info.data
    first, last = data["level"].iloc[0], data["level"].iloc[-1]
    seeds = [name for name in data.columns if name.startswith("seed ")]
    ends = len(data)
    ax.plot(first, 0, "D", color=BLACK)
    ax.plot(last, ends, "D", color=BLACK)
    for place, row in enumerate(data.itertuples(index=False)):
        if place == 0 or not np.isfinite(row.difference):
            continue
        color, hatch = (BLUE, "") if row.difference >= 0 else (VERMILLION, "////")
        bar = {"color": color, "alpha": 0.75, "hatch": hatch, "edgecolor": "white", "linewidth": 0}
        ax.barh(place, row.difference, 0.62, left=row.before, **bar)
        if np.isfinite(row.low):
            span = [[row.difference - row.low], [row.high - row.difference]]
            ax.errorbar(
                row.before + row.difference, place, xerr=span, fmt="none", ecolor=BLACK, elinewidth=1, capsize=2
            )
        right = row.before + max(row.difference, row.high if np.isfinite(row.high) else row.difference, 0.0)
        mark = f"{row.difference:+.4f} {stars(row.p_adjusted)}".replace("-", "−").rstrip()
        ax.annotate(mark, (right, place), xytext=(4, 0), textcoords="offset points", va="center")
        own = data.loc[place, seeds].to_numpy(float)
        ax.plot(row.before + own, np.full(len(own), place + 0.18), "o", color=BLACK, markersize=1.6, markeredgewidth=0)
    levels = [*data["level"], last]
    for place, level in enumerate(levels[:-1]):  # what the next bar starts from
        ax.plot([level, level], [place, place + 1], color=PALE, linewidth=0.8, zorder=0)
    ax.set_yticks(range(ends + 1), [*data["label"], info.winner])
    ax.set_ylim(ends + 0.6, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(f"{metric_title(info.metric)}, test")
    ax.xaxis.set_major_locator(MaxNLocator(nbins=6))
    ax.margins(x=0.16)

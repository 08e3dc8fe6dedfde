"""Figure: the 2x2 factorial CLUB x Solosim, as cell means and as effects with intervals."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from plots.arms import finished_runs, per_user, shown_metrics
from plots.figure import MissingRecordsError
from plots.style import BLACK, PAGE, look, panels
from study.arms import FULL
from study.records import Study
from study.stats.factorial import factorial_effects
from study.tables.measurements import metric_title

CAPTION = (
    "CLUB and Solosim, each with and without the other, on test. Left of each pair: means over users and seeds; "
    "parallel lines mean that the two simply add up. Right: main effects and interaction with 95 % intervals for "
    "new users and seeds."
)
CELLS = {
    FULL: (True, True),
    "no-club": (False, True),
    "no-solosim": (True, False),
    "no-both": (False, False),
}  # CLUB, Solosim
METRICS = ("recall@20", "ndcg@20")


class Interaction(NamedTuple):
    """``data``: per metric four rows of kind ``cell`` (``club, solosim, value``), three of kind ``effect``."""

    data: pd.DataFrame


def compute(study: Study) -> Interaction:
    """Means and effects over the seeds that all four arms finished, frozen arms if there are any."""
    runs = finished_runs(study)
    mode = next((mode for mode in ("frozen", "retuned") if all((mode, arm) in runs for arm in CELLS)), None)
    if mode is None:
        raise MissingRecordsError(f"the arms {', '.join(CELLS)} are not all there")
    arms = [runs[mode, arm] for arm in CELLS]
    seeds = sorted(set.intersection(*(set(arm) for arm in arms)))
    if not seeds:
        raise MissingRecordsError(f"the arms {', '.join(CELLS)} share no seed")
    shown = shown_metrics(arms[0][seeds[0]])
    rows = []
    for metric in [m for m in shown if m in METRICS] or shown[:2]:
        values = [per_user([arm[seed] for seed in seeds], metric) for arm in arms]
        for (club, solosim), value in zip(CELLS.values(), values, strict=True):
            row = {"kind": "cell", "club": club, "solosim": solosim, "value": value.mean()}
            rows.append({"metric": metric, **row})
        for name, effect in factorial_effects(*values)._asdict().items():
            row = {
                "kind": "effect",
                "name": name,
                "value": effect.mean,
                "low": effect.low,
                "high": effect.high,
                "p": effect.p,
            }
            rows.append({"metric": metric, **row})
    return Interaction(pd.DataFrame(rows)[["metric", "kind", "club", "solosim", "name", "value", "low", "high", "p"]])


def size(info: Interaction) -> tuple[float, float]:
    """The width of a page."""
    return PAGE, 2.1


def draw(ax: Axes, info: Interaction) -> None:
    """Two panels a metric."""
    groups = list(info.data.groupby("metric", sort=False))
    axes = panels(ax, 1, 2 * len(groups)).ravel()
    for n, (metric, part) in enumerate(groups):
        means, effects = axes[2 * n], axes[2 * n + 1]
        cells = part[part["kind"] == "cell"]
        for index, club in enumerate((True, False)):
            line = cells[cells["club"] == club].sort_values("solosim")
            how = look(index)
            means.plot([0, 1], line["value"], marker=how.marker, color=how.color, linestyle=how.linestyle,
                       label="with CLUB" if club else "w/o CLUB")  # fmt: skip
        means.set_xticks([0, 1], ["w/o\nSolosim", "with\nSolosim"])
        means.set_xlim(-0.35, 1.35)
        means.set_ylabel(f"{metric_title(str(metric))}, test")
        rows = part[part["kind"] == "effect"]
        ends = [1000 * (rows["value"] - rows["low"]), 1000 * (rows["high"] - rows["value"])]
        effects.errorbar(1000 * rows["value"], range(3), xerr=ends, fmt="o", color=BLACK, elinewidth=1, capsize=2)
        effects.axvline(0, color=BLACK, linewidth=0.6)
        effects.set_yticks(range(3), ["CLUB", "Solosim", "interaction"])
        effects.set_ylim(2.5, -0.5)
        effects.set_xlabel("1000 × effect")
        effects.grid(axis="y", visible=False)
        for axis in (means.yaxis, effects.xaxis):
            axis.set_major_locator(MaxNLocator(nbins=4))
    axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)

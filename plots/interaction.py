"""Figure: the 2x2 factorial CLUB x Solosim, as cell means and as effects with intervals."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from plots.lib.figure import MissingRecordsError
from plots.lib.figures import register_figure
from plots.lib.style import BLACK, PAGE, look, panels
from study.analysis.comparisons import FACTORIAL_ARMS, to_frame
from study.analysis.metrics import metric_title
from study.analysis.results import Results
from study.reporting.tables.factorial import EFFECTS

register_figure(__name__, place=120)

TITLE = "CLUB × Solosim"
CAPTION = (
    "CLUB and Solosim, each with and without the other, on test. Left of each pair: means over users, thin for single "
    "seeds, thick over seeds; parallel lines mean that the two simply add up. Right: main effects and interaction with "
    "95 % intervals for new users and seeds."
)
CELLS = dict(zip(FACTORIAL_ARMS, [(True, True), (False, True), (True, False), (False, False)], strict=True))
METRICS = ("recall@20", "ndcg@20")


class Interaction(NamedTuple):
    """``data``: rows of kind ``seed`` and ``cell`` (``club, solosim, value``) and ``effect`` (with its interval)."""

    data: pd.DataFrame


def compute(results: Results) -> Interaction:
    """Means and effects over the seeds that all four arms finished, frozen arms if there are any."""
    if not results.factors:
        raise MissingRecordsError(f"the arms {', '.join(CELLS)} are not all there on a common seed")
    mode = min(line.mode for line in results.factors)  # frozen before retuned
    metrics = [metric for metric in results.metrics if metric in METRICS] or results.metrics[:2]
    measured, effects = pd.DataFrame(results.measured), to_frame(results.factors)
    chosen = (measured["mode"] == mode) & measured["name"].isin(CELLS) & measured["metric"].isin(metrics)
    runs = measured[chosen].astype({"seed": int}).groupby(["metric", "name", "seed"], sort=False)["value"]
    runs = runs.mean().reset_index()  # searches of one arm share their seeds
    common = runs.groupby(["metric", "seed"])["name"].transform("nunique") == len(CELLS)
    seeds = runs.loc[common, ["metric", "name", "seed", "value"]].assign(kind="seed")
    cells = seeds.groupby(["metric", "name"], sort=False)["value"].mean().reset_index().assign(kind="cell")
    both = pd.concat([seeds, cells], ignore_index=True)
    both["club"], both["solosim"] = zip(*both["name"].map(CELLS), strict=True)
    effects = effects[(effects["mode"] == mode) & effects["metric"].isin(metrics)]
    effects = effects.assign(kind="effect", name=effects["arm"].map(EFFECTS), value=effects["difference"])
    columns = ["metric", "kind", "name", "seed", "club", "solosim", "value", "low", "high", "p", "p_adjusted"]
    return Interaction(pd.concat([both, effects[effects.columns.intersection(columns)]], ignore_index=True)[columns])


def size(info: Interaction) -> tuple[float, float]:
    """The width of a page."""
    return PAGE, 2.1


def draw(ax: Axes, info: Interaction) -> None:
    """Two panels a metric."""
    groups = list(info.data.groupby("metric", sort=False))
    axes = panels(ax, 1, 2 * len(groups)).ravel()
    for n, (metric, part) in enumerate(groups):
        means, effects = axes[2 * n], axes[2 * n + 1]
        for index, club in enumerate((True, False)):
            lines = part[part["club"] == club].pivot(index="solosim", columns=["kind", "seed"], values="value")
            how = look(index)
            means.plot([0, 1], lines["seed"], color=how.color, linestyle=how.linestyle, linewidth=0.4, alpha=0.7)
            label = "with CLUB" if club else "w/o CLUB"
            means.plot([0, 1], lines["cell"], how.marker, color=how.color, linestyle=how.linestyle, label=label)
        means.set_xticks([0, 1], ["w/o\nSolosim", "with\nSolosim"])
        means.set_xlim(-0.35, 1.35)
        means.set_ylabel(f"{metric_title(str(metric))}, test")
        rows = part[part["kind"] == "effect"]
        ends = [1000 * (rows["value"] - rows["low"]), 1000 * (rows["high"] - rows["value"])]
        effects.errorbar(1000 * rows["value"], range(3), xerr=ends, fmt="o", color=BLACK, elinewidth=1, capsize=2)
        effects.axvline(0, color=BLACK, linewidth=0.6)
        effects.set_yticks(range(3), rows["name"])
        effects.set_ylim(2.5, -0.5)
        effects.set_xlabel("1000 × effect")
        effects.grid(axis="y", visible=False)
        for axis in (means.yaxis, effects.xaxis):
            axis.set_major_locator(MaxNLocator(nbins=4))
    axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)

"""Figure: CLUB's bound before clamping, per modality and epoch, and how often clamping cut it."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from plots.lib.figure import MissingRecordsError
from plots.lib.figures import register_figure
from plots.lib.style import BLACK, COLUMN, look, panels
from study.analysis.results import Results

register_figure(__name__, place=70)

TITLE = "CLUB’s bound and its clamping"
CAPTION = (
    "CLUB over the winner's fresh-seed runs. Above: the bound before clamping (mean over an epoch's batches; thin: one "
    "seed, thick: mean); below 0 it bounds nothing. Below: the share of batches in which it was clamped to 0, so that "
    "distancing had no gradient."
)


class ClubBound(NamedTuple):
    """``data``: ``modality, seed, epoch, bound`` (nats, mean over batches), ``clamped`` (share of batches)."""

    data: pd.DataFrame


def compute(results: Results) -> ClubBound:
    """Collect the winner's runs."""
    study = results.study
    tables = []
    for run in study.winner:
        if run.config.distancing != "club":
            continue
        for name in run.history.columns:
            _, bound_prefix, modality = name.partition("bound_")
            if bound_prefix:
                columns = {"epoch": "epoch", name: "bound", f"clamped_{modality}": "clamped"}
                part = run.history[list(columns)].rename(columns=columns)
                tables.append(part.assign(modality=modality, seed=run.seed))
    if not tables:
        raise MissingRecordsError("no winner trained with CLUB")
    return ClubBound(pd.concat(tables, ignore_index=True)[["modality", "seed", "epoch", "bound", "clamped"]])


def size(info: ClubBound) -> tuple[float, float]:
    """One column."""
    return COLUMN, 2.6


def draw(ax: Axes, info: ClubBound) -> None:
    """The bound above, the share of clamped batches below."""
    above, below = panels(ax, 2, 1, sharex=True, height_ratios=[2, 1]).ravel()
    for n, (modality, part) in enumerate(info.data.groupby("modality", sort=False)):
        line = {"color": look(n).color, "linestyle": look(n).linestyle}
        for panel, column in ((above, "bound"), (below, "clamped")):
            seeds = part.pivot(index="epoch", columns="seed", values=column)
            panel.plot(seeds, linewidth=0.4, alpha=0.5, **line)
            panel.plot(seeds.dropna().mean(axis=1), label=modality, **line)
    above.axhline(0, color=BLACK, linewidth=0.6)
    above.set_ylabel("bound (nats)")
    below.set_ylabel("batches\nclamped")
    below.set_xlabel("epoch")
    below.set_ylim(0, 1)
    below.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    above.yaxis.set_major_locator(MaxNLocator(nbins=4))
    below.set_yticks([0, 0.5, 1])
    handles, labels = above.get_legend_handles_labels()
    above.figure.legend(handles, labels, loc="outside upper center", ncols=4)

"""Figure: CLUB's bound before clamping, per modality and epoch, and where clamping cuts it."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from plots.figure import MissingRecordsError
from plots.style import BLACK, COLUMN, look, panels
from study.records import Study

CAPTION = (
    "CLUB over the winner's fresh-seed runs. Above: the bound before clamping (mean over an epoch's batches; "
    "thin: one seed, thick: mean); below the line at 0 it is no upper bound of anything and clamping removes its "
    "gradient. Below: how much clamping adds, zero where no batch was clamped."
)


class ClubBound(NamedTuple):
    """``data``: ``modality, seed, epoch, bound, used``; nats per item, means over batches, ``used`` after clamping."""

    data: pd.DataFrame


def compute(study: Study) -> ClubBound:
    """Collect the winner's runs."""
    tables = []
    for run in study.winner:
        if run.config.distancing != "club":
            continue
        for name in run.history.columns:
            _, found, modality = name.partition("bound_")
            if found:
                columns = {"epoch": "epoch", name: "bound", f"distance_{modality}": "used"}
                part = run.history[list(columns)].rename(columns=columns)
                tables.append(part.assign(modality=modality, seed=run.seed))
    if not tables:
        raise MissingRecordsError("no winner trained with CLUB")
    return ClubBound(pd.concat(tables, ignore_index=True)[["modality", "seed", "epoch", "bound", "used"]])


def size(info: ClubBound) -> tuple[float, float]:
    """One column."""
    return COLUMN, 2.6


def draw(ax: Axes, info: ClubBound) -> None:
    """The bound above, what clamping adds below."""
    above, below = panels(ax, 2, 1, sharex=True, height_ratios=[2, 1]).ravel()
    data = info.data.assign(added=info.data["used"] - info.data["bound"])
    for n, (modality, part) in enumerate(data.groupby("modality", sort=False)):
        line = {"color": look(n).color, "linestyle": look(n).linestyle}
        for panel, column in ((above, "bound"), (below, "added")):
            seeds = part.pivot(index="epoch", columns="seed", values=column)
            panel.plot(seeds, linewidth=0.4, alpha=0.5, **line)
            panel.plot(seeds.dropna().mean(axis=1), label=modality, **line)
    above.axhline(0, color=BLACK, linewidth=0.6)
    above.set_ylabel("bound (nats)")
    below.set_ylabel("added by\nclamping (nats)")
    below.set_xlabel("epoch")
    below.set_ylim(bottom=0)
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    for panel in (above, below):
        panel.yaxis.set_major_locator(MaxNLocator(nbins=4))
    handles, labels = above.get_legend_handles_labels()
    above.figure.legend(handles, labels, loc="outside upper center", ncols=4)

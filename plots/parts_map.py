"""Figure: generic and unique parts of items by modality, laid out in two dimensions by t-SNE."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from plots.lib.figure import MissingRecordsError
from plots.lib.figures import register_figure
from plots.lib.style import COLUMN, look
from study.analysis.results import Results

register_figure(__name__, place=90)

TITLE = "Map of the parts"
CAPTION = (
    "Outputs of the distance heads, generic and unique, of up to 100 items per group, laid out together by t-SNE (the "
    "first of the winner's fresh-seed runs). Only neighbourhoods mean something: distances between clusters, their "
    "sizes and the axes do not, and another run gives another picture."
)
MOST_PER_GROUP = 100
ITERATIONS = 1000


class PartsMap(NamedTuple):
    """``data``: ``part`` (``generic``, ``unique``), ``modality``, ``item`` (its id), ``x``, ``y``."""

    data: pd.DataFrame


def compute(results: Results) -> PartsMap:
    """Lay out the winner's first run; without a winner, the full model's first frozen run."""
    study = results.study
    runs = study.winner or study.runs(arm="full", mode="frozen")
    parts = next((run.parts for run in runs if run.parts and any("_head/" in name for name in run.parts)), None)
    if parts is None:
        raise MissingRecordsError("no final run with distance heads kept its parts")
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    items = parts["items"].numpy()
    chosen = np.sort(np.random.default_rng(0).permutation(len(items))[:MOST_PER_GROUP])
    heads = {name: part.numpy()[chosen] for name, part in parts.items() if "_head/" in name}
    rows = np.concatenate(list(heads.values())).astype(np.float64)
    perplexity = min(30.0, (len(rows) - 1) / 3)
    # So few points gain nothing from a second thread, which would spin while others want the processor.
    with threadpool_limits(1, user_api="openmp"):
        layout = TSNE(perplexity=perplexity, init="pca", max_iter=ITERATIONS, random_state=0).fit_transform(rows)
    tables = []
    for name, where in zip(heads, np.split(layout.astype(np.float64), len(heads)), strict=True):
        part, _, modality = name.partition("_head/")
        group = {"part": part, "modality": modality, "item": items[chosen]}
        tables.append(pd.DataFrame({**group, "x": where[:, 0], "y": where[:, 1]}))
    data = pd.concat(tables, ignore_index=True)
    return PartsMap(data.sort_values(["modality", "part"], kind="stable", ignore_index=True))


def size(info: PartsMap) -> tuple[float, float]:
    """One column."""
    return COLUMN, 3.0


def draw(ax: Axes, info: PartsMap) -> None:
    """Colour and marker by modality; generic parts filled, unique parts hollow."""
    for n, (modality, rows) in enumerate(info.data.groupby("modality", sort=False)):
        for part, group in rows.groupby("part", sort=False):
            style = look(n)
            fill = style.color if part == "generic" else "none"
            ax.scatter(
                group["x"], group["y"], s=9, marker=style.marker, facecolors=fill, edgecolors=style.color,
                linewidths=0.6, label=f"{modality}, {part}",
            )  # fmt: skip
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.set_xlabel("t-SNE 1")
    ax.set_ylabel("t-SNE 2")
    ax.figure.legend(loc="outside upper center", ncols=2)

"""Figure: angles between generic and unique parts of items, against the density of random directions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from plots.lib.figure import MissingRecordsError
from plots.lib.figures import register_figure
from plots.lib.style import BLACK, COLUMN, GREY, look
from sea_core.diagnostics.angles import angle_distribution, random_cosine_density
from study.analysis.results import Results

register_figure(__name__, place=80)

TITLE = "Angles between the parts"
CAPTION = (
    "Cosine between the outputs of the two distance heads, generic and unique, over items, pooled over the winner's "
    "fresh-seed runs. Dashed: the density for random directions in as many dimensions, which are nearly orthogonal "
    "anyway; only what differs from it was learned."
)
_EDGES = np.linspace(-1, 1, 41)


class AngleHistogram(NamedTuple):
    """``data``: ``series`` (a modality, or ``random directions``), ``cosine`` (a bin's middle), ``density``."""

    data: pd.DataFrame


def compute(results: Results) -> AngleHistogram:
    """Cosines of the winner's parts; without a winner, of the full model's frozen runs."""
    study = results.study
    runs = study.winner or study.runs(arm="full", mode="frozen")
    cosines: dict[str, list[np.ndarray]] = {}
    dim = 0
    for run in runs:
        for name, part in (run.parts or {}).items():
            kind, _, modality = name.partition("/")
            if kind == "generic_head" and run.parts is not None:
                dim = part.shape[1]
                angles = angle_distribution(part.numpy(), run.parts[f"unique_head/{modality}"].numpy())
                cosines.setdefault(modality, []).append(angles.cosine)
    if not cosines:
        raise MissingRecordsError("no final run with distance heads kept its parts")
    middles = (_EDGES[:-1] + _EDGES[1:]) / 2
    densities = {m: np.histogram(np.concatenate(each), _EDGES, density=True)[0] for m, each in cosines.items()}
    densities["random directions"] = random_cosine_density(middles, dim)
    tables = [pd.DataFrame({"series": n, "cosine": middles, "density": d}) for n, d in densities.items()]
    return AngleHistogram(pd.concat(tables, ignore_index=True))


def size(info: AngleHistogram) -> tuple[float, float]:
    """One column."""
    return COLUMN, 2.2


def draw(ax: Axes, info: AngleHistogram) -> None:
    """A step per modality, the theory as a dashed line."""
    *modalities, random = info.data["series"].unique()
    for n, name in enumerate(modalities):
        part = info.data[info.data["series"] == name]
        ax.fill_between(part["cosine"], part["density"], step="mid", color=look(n).color, alpha=0.2, linewidth=0)
        ax.step(
            part["cosine"], part["density"], where="mid", label=name, color=look(n).color, linestyle=look(n).linestyle
        )
    theory = info.data[info.data["series"] == random]
    ax.plot(theory["cosine"], theory["density"], color=BLACK, linestyle=(0, (4, 2)), linewidth=0.9, label=random)
    ax.axvline(0, color=GREY, linewidth=0.6)
    ax.set_xlim(-1, 1)
    ax.set_xticks([-1, -0.5, 0, 0.5, 1])
    ax.set_ylim(bottom=0)
    ax.set_xlabel("cosine of generic and unique part")
    ax.set_ylabel("density")
    ax.figure.legend(loc="outside upper center", ncols=4)

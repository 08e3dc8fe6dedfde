"""Figure: how much each hyper-parameter mattered in the search, against what chance alone gives."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from plots.lib.figure import MissingRecordsError
from plots.lib.figures import register_figure
from plots.lib.labels import parameter_label
from plots.lib.style import BLUE, COLUMN, GREY
from plots.lib.trials import objective
from sea_core.errors import UserError
from study.analysis.metrics import metric_title
from study.analysis.results import Results
from study.analysis.stats.comparison import ALPHA
from study.searching.importance import study_importances

register_figure(__name__, place=40)

TITLE = "Importances"
CAPTION = (
    "Share of each hyper-parameter in what sets the best trials apart (PED-ANOVA). Grey mark: what 95 % of shuffled "
    "searches stay below, in which nothing matters. Pale bars do not stand out from that after Holm's correction."
)


class ImportanceBars(NamedTuple):
    """``data``: ``parameter, importance, chance, p, p_holm``, most important first."""

    data: pd.DataFrame
    metric: str


def compute(results: Results) -> ImportanceBars:
    """Importances over complete trials."""
    study = results.study
    try:
        importances = study_importances(results, study)
    except UserError as error:
        raise MissingRecordsError(str(error)) from None
    columns = {"parameter": importances.names, "importance": importances.importance, "chance": importances.chance}
    return ImportanceBars(pd.DataFrame(columns).assign(p=importances.p, p_holm=importances.p_holm), objective(study))


def size(info: ImportanceBars) -> tuple[float, float]:
    """One column, higher with more parameters."""
    return COLUMN, 0.7 + 0.19 * len(info.data)


def draw(ax: Axes, info: ImportanceBars) -> None:
    """Horizontal bars, each with its mark of chance."""
    data = info.data
    place = np.arange(len(data))
    shown = data["p_holm"] < ALPHA
    for chosen, alpha in ((shown, 0.75), (~shown, 0.3)):
        ax.barh(place[chosen], data["importance"][chosen], 0.7, color=BLUE, alpha=alpha)
    ax.vlines(data["chance"], place - 0.4, place + 0.4, color=GREY, linewidth=1.2)
    ax.set_yticks(place, [parameter_label(name) for name in data["parameter"]])
    ax.set_ylim(len(data) - 0.5, -0.5)
    ax.set_xlim(left=0)
    ax.set_xlabel(f"importance for {metric_title(info.metric)}")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)

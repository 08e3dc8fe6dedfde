"""All figures of a study, in the order of the report. A new figure is one file beside this one and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from plots import (
    ablation,
    club_bound,
    convergence,
    heat_map,
    importances,
    interaction,
    parallel_coordinates,
    search_history,
    sensitivity,
    time_quality,
    user_differences,
)
from plots.figure import FigureFile

FIGURES: Mapping[str, FigureFile] = {
    "search_history": search_history,
    "sensitivity": sensitivity,
    "heat_map": heat_map,
    "importances": importances,
    "parallel_coordinates": parallel_coordinates,
    "convergence": convergence,
    "club_bound": club_bound,
    "ablation": ablation,
    "user_differences": user_differences,
    "interaction": interaction,
    "time_quality": time_quality,
}

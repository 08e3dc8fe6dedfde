"""All figures, in the order of the report. A new figure is one file beside this one and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from plots import (
    ablation,
    angles,
    club_bound,
    convergence,
    critical_difference,
    forest,
    heat_map,
    importances,
    interaction,
    parallel_coordinates,
    parts_map,
    search_history,
    sensitivities,
    sensitivity,
    sweeps,
    time_quality,
    user_differences,
)
from plots.lib.figure import FigureFile

# Of one study.
FIGURES: Mapping[str, FigureFile] = {
    "search_history": search_history,
    "sensitivity": sensitivity,
    "heat_map": heat_map,
    "importances": importances,
    "parallel_coordinates": parallel_coordinates,
    "convergence": convergence,
    "club_bound": club_bound,
    "angles": angles,
    "parts_map": parts_map,
    "ablation": ablation,
    "user_differences": user_differences,
    "interaction": interaction,
    "time_quality": time_quality,
}

# Of several studies.
JOINT_FIGURES: Mapping[str, FigureFile] = {
    "forest": forest,
    "sensitivities": sensitivities,
    "sweeps": sweeps,
    "critical_difference": critical_difference,
}

"""Which records each figure is shown with in the tests that hold for all of them."""

from pathlib import Path
from unittest import mock

from plots import parts_map, sensitivities
from plots.lib.figure import Info
from plots.lib.figures import FIGURES, JOINT_FIGURES
from study.analysis.results import Results
from study.records.study import Study, load_study
from study.searching import importance
from tests.plots.tiny_study import write_datasets, write_grid, write_searches, write_sweeps, write_walked

ALL_FIGURES = {**FIGURES, **JOINT_FIGURES}


def compute(name: str, study: Study, root: Path) -> Info:
    """A figure's info from few resamples and iterations: all of them take seconds."""
    with (
        mock.patch.object(importance, "PERMUTATIONS", 10),
        mock.patch.object(sensitivities, "RESAMPLES", 20),
        mock.patch.object(parts_map, "ITERATIONS", 500),
    ):
        return ALL_FIGURES[name].compute(results_for(name, study, root))


def results_for(name: str, study: Study, root: Path) -> Results:
    """The small study, or what a figure needs instead, written below ``root``."""
    if name == "heat_map":
        return Results([load_study(write_grid(root))])
    if name == "forest":
        return Results([load_study(folder) for folder in write_datasets(root, 2, seeds=2)])
    if name == "sensitivities":
        return Results([load_study(folder) for folder in write_searches(root, 2, trials=16)])
    if name == "sweeps":
        return Results([load_study(folder) for folder in write_sweeps(root)])
    if name == "path":
        return Results([load_study(write_walked(root))])
    if name == "critical_difference":
        return Results([load_study(folder) for folder in write_datasets(root, 6)])
    return Results([study])

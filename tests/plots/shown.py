"""Which records each figure is shown with in the tests that hold for all of them."""

from pathlib import Path
from typing import Any
from unittest import mock

from plots import importances
from plots.figure import Info
from plots.figures import FIGURES, JOINT_FIGURES
from study.records import Study, load_study
from tests.plots.tiny_study import write_datasets, write_grid, write_sweeps

ALL_FIGURES = {**FIGURES, **JOINT_FIGURES}


def compute(name: str, study: Study, root: Path) -> Info:
    """A figure's info from few resamples: 200 take seconds."""
    with mock.patch.object(importances, "RESAMPLES", 10):
        return ALL_FIGURES[name].compute(records_for(name, study, root))


def records_for(name: str, study: Study, root: Path) -> Any:
    """The small study, or what a figure needs instead, written below ``root``."""
    if name == "heat_map":
        return load_study(write_grid(root))
    if name == "sweeps":
        return [load_study(folder) for folder in write_sweeps(root)]
    if name == "critical_difference":
        return [load_study(folder) for folder in write_datasets(root, 6)]
    return study

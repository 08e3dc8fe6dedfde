import functools
from collections.abc import Callable
from pathlib import Path

import pytest

from plots.lib.figure import Info
from study.records.study import Study, load_study
from tests.plots.shown import compute
from tests.plots.tiny_study import write_study


@pytest.fixture(scope="session")
def study_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study folder that tests only read."""
    return write_study(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="session")
def study(study_root: Path) -> Study:
    return load_study(study_root)


@pytest.fixture(scope="session")
def info_of(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Info]:
    """A figure's info from its name; computed once, as some take seconds."""
    # Figures over several studies write them: each to a folder of its own.
    return functools.cache(lambda name: compute(name, study, tmp_path_factory.mktemp("results")))

"""The table of what a search saw of its parameters."""

import itertools
from pathlib import Path

import yaml

from sea_core.config import Config
from study.analysis.results import Results
from study.records.folder import StudyFolder
from study.records.study import load_study
from study.reporting.tables import sensitivity
from study.reporting.tables.table import Table
from tests.study.results import write_result

TEMPERATURES, RATIOS = (0.05, 0.1, 0.2, 0.5, 1.0), (0.1, 0.3, 0.5, 0.7, 0.9)


def write_trials(root: Path, sampler: str) -> Table:
    """Twenty-five trials, all pairs, of which higher temperatures are better."""
    folder = StudyFolder(root)
    for number, (temperature, ratio) in enumerate(itertools.product(TEMPERATURES, RATIOS)):
        params = {"temperature": temperature, "split_ratio": ratio}
        trial = {"number": number, "state": "complete", "value": temperature, "params": params}
        write_result(folder.trial(number), 0.1, seed=999, config=Config(**params), trial=trial)
    space = {"temperature": {"choices": list(TEMPERATURES)}, "split_ratio": {"choices": list(RATIOS)}}
    folder.identity.write_text(yaml.safe_dump({"sampler": sampler, "space": space}))
    table = sensitivity.compute(Results([load_study(root)]))
    assert table is not None
    return table


def test_a_grid_shows_each_of_its_values(tmp_path: Path) -> None:
    table = write_trials(tmp_path, "grid")
    shown = table.frame.set_index(["parameter", "values"])
    assert list(shown.loc["temperature"].index) == ["0.05", "0.1", "0.2", "0.5", "1"]
    assert set(shown["trials"]) == {5}
    assert list(shown.loc["temperature"]["mean"]) == list(TEMPERATURES)
    assert "equally often" in table.caption
    assert "chose" not in table.caption


def test_a_search_shows_quartiles_of_its_trials(tmp_path: Path) -> None:
    table = write_trials(tmp_path, "tpe")
    assert list(table.frame["parameter"]) == ["temperature"] * 4 + ["split_ratio"] * 4
    assert "chose these values" in table.caption

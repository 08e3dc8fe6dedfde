from __future__ import annotations

from pathlib import Path

import pytest

import sea_core
from sea_core import project
from sea_core.project import default_data, default_results, project_folder
from study.planning.requests import AblationRequest, SearchRequest

CHECKOUT = Path(sea_core.__file__).parents[1]


def test_results_land_in_the_checkout_wherever_a_program_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert project_folder() == CHECKOUT
    assert default_results() == SearchRequest().out == AblationRequest().out == CHECKOUT / "results"
    monkeypatch.chdir(CHECKOUT)
    assert SearchRequest().out == Path("results"), "short names where the folder is the current one"


def test_installed_results_land_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(project, "__file__", str(tmp_path / "site-packages" / "sea_core" / "project.py"))
    assert project_folder() == tmp_path
    assert SearchRequest().out == Path("results")


def test_data_are_those_of_the_current_folder_if_it_has_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert default_data() == CHECKOUT / "data"
    (tmp_path / "data").mkdir()
    assert default_data() == Path("data")

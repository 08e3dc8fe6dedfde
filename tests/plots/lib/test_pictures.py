"""Figures for a page: each is drawn once, whatever it is wanted for, and brings its own size."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from plots import search_history
from plots.lib.figures import FIGURES
from plots.lib.pictures import study_pictures
from plots.make_figures import make_figures
from study.analysis.results import Results
from study.records.folder import StudyFolder
from study.records.study import load_study
from tests.plots.tiny_study import write_datasets, write_study, write_trial


def test_a_picture_and_its_files_are_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = StudyFolder(tmp_path / "study")
    write_trial(folder, 0)
    computed: list[Results] = []

    def compute(results: Results) -> search_history.SearchHistory:
        computed.append(results)
        return search_history.compute(results)

    module = SimpleNamespace(
        TITLE="T", CAPTION="C.", compute=compute, size=search_history.size, draw=search_history.draw
    )
    monkeypatch.setattr("plots.lib.pictures.FIGURES", {"search_history": module})
    results = Results([load_study(folder.root)])
    (picture,) = study_pictures(results, folder.figures)
    assert computed == [results]
    assert b"<svg " in picture.svg
    inches = search_history.size(search_history.compute(results))
    assert (picture.width, picture.height) == pytest.approx([72 * length for length in inches])
    written = {path.name: path.read_bytes() for path in folder.figures.iterdir()}
    expected = make_figures(folder.root, only=["search_history"])
    assert written == {path.name: path.read_bytes() for path in expected}


@pytest.mark.slow
def test_a_study_gives_the_figures_that_its_records_allow(tmp_path: Path) -> None:
    root = write_datasets(tmp_path, 1)[0]
    names = [picture.name for picture in study_pictures(Results([load_study(root)]))]
    assert "ablation" in names
    assert "search_history" not in names


@pytest.mark.slow
@pytest.mark.parametrize("redraw", [make_figures, lambda root: study_pictures(results_of(root), root / "figures")])
def test_figures_that_the_records_no_longer_allow_are_removed(
    redraw: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {name: FIGURES[name] for name in ("ablation", "search_history")}
    monkeypatch.setattr("plots.lib.pictures.FIGURES", few)
    monkeypatch.setattr("plots.make_figures.FIGURES", few)
    root = write_study(tmp_path, trials=2, users=20)
    redraw(root)
    assert (root / "figures" / "ablation.pdf").exists()
    (root / "figures" / "notes.pdf").write_text("the user's")
    shutil.rmtree(root / "ablations")
    redraw(root)
    left = {path.name for path in (root / "figures").iterdir()}
    assert left == {"notes.pdf", *(f"search_history.{end}" for end in ("pdf", "png", "csv"))}


def results_of(root: Path) -> Results:
    return Results([load_study(root)])

"""The tutorial runs from its first cell to its last, and shows what it promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
TUTORIAL = ROOT / "docs" / "tutorial.ipynb"


def shown(cells: list[Any], kind: str) -> list[Any]:
    """What the cells' results are as this MIME type."""
    return [output["data"][kind] for cell in cells for output in cell.outputs if kind in output.get("data", {})]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of Jupyter's own packages
def test_the_tutorial_runs_and_shows_tables_figures_and_progress(
    tmp_path: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbclient = pytest.importorskip("nbclient", reason="the tutorial runs where Jupyter's nbclient is installed")
    nbformat = pytest.importorskip("nbformat")
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "jupyter"))
    notebook = nbformat.read(TUTORIAL, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    tables = shown(cells, "text/markdown")
    assert any("Popularity" in table and "SEA" in table for table in tables)
    assert any("temperature x 5" in table for table in tables)
    assert len(shown(cells, "image/png")) == 2
    assert any("p_adjusted" in frame for frame in shown(cells, "text/html"))
    searching = next(cell for cell in cells if "study.search(" in cell.source)
    progress = "".join(str(output.get("text", "")) for output in searching.outputs) + str(
        shown([searching], "text/html")
    )
    assert "trial 0" in progress
    assert (tmp_path / "tutorial-results" / "tutorial" / "report.html").exists()


def test_the_tutorial_is_committed_without_results() -> None:
    import json

    cells = json.loads(TUTORIAL.read_text(encoding="utf-8"))["cells"]
    assert all(cell.get("outputs", []) == [] and cell.get("execution_count") is None for cell in cells)


def test_the_columns_that_the_tutorial_shows_are_those_of_a_comparison() -> None:
    import re

    from study.analysis.stats.comparison import Comparison

    (shown_columns,) = re.findall(r"rows\[\[(.*?)\]\]", TUTORIAL.read_text(encoding="utf-8"))
    assert set(re.findall(r"\w+", shown_columns)) <= set(Comparison._fields)

"""The program that writes the pages."""

from pathlib import Path

import pytest

from sea_core.errors import run_program
from study.make_report import main
from tests.study.results import write_search


@pytest.fixture(autouse=True)
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes longer than all the rest, and has its own tests."""
    monkeypatch.setattr("plots.lib.pictures.study_pictures", lambda study: [])


def test_the_page_lies_in_the_studys_folder_and_the_program_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_search(tmp_path)
    assert main([str(root)]) == 0
    assert capsys.readouterr().out == f"{root / 'report.html'}\n"
    assert "How good is SEA on tiny" in (root / "report.html").read_text()


def test_several_studies_get_a_page_each_and_one_over_all(tmp_path: Path) -> None:
    roots = [write_search(tmp_path, name=name, dataset=name) for name in ("one", "two")]
    assert main([*map(str, roots), "--out", str(tmp_path / "joint")]) == 0
    assert all((root / "report.html").is_file() for root in roots)
    assert "on one and two" in (tmp_path / "joint" / "report.html").read_text()


def test_a_folder_that_is_no_study_ends_with_code_2_and_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program(lambda: main([str(tmp_path / "nothing")])) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: no study folder")
    assert error.count("\n") == 1

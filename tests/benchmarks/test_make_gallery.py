"""One command for a dataset's page: its programs exist, and the page leads to small files that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ablations import run_ablations
from benchmarks import make_gallery
from benchmarks.gallery_page import FIGURES_SHOWN, PREFERRED, write_page
from plots.lib.figures import FIGURES
from sea_core.errors import UserError
from sea_core.files import write_json
from study.analysis.results import Results
from study.planning.search_options import make_parser
from study.records.study import load_study
from study.reporting.tables.write import compute_tables, write_tables
from tests.study.results import write_arms, write_search


def planned(*arguments: str) -> list[list[str]]:
    return make_gallery.commands(make_gallery.make_parser().parse_args(["-d", "lfm2k", *arguments]))


def test_every_command_is_one_that_its_program_takes() -> None:
    commands = planned("--data-root", "elsewhere", "--out", "there", "--set", "knn_k=5", "--seeds", "10")
    programs = [command[0] for command in commands]
    assert all((make_gallery.ROOT / program).exists() for program in programs)
    search = make_parser().given(commands[0][1:])
    assert (search["budget"], search["no_ablations"], search["settings"]) == ("20x", True, ["knn_k=5"])
    ablations = [run_ablations.make_parser().given(c[1:]) for c in commands if "run_ablations" in c[0]]
    assert [given.get("suite") for given in ablations] == [None, "rivals", "modalities", None]
    assert commands[1][commands[1].index("--seeds") + 1] == "10"
    assert ablations[0]["placebo"] == 4
    arms = ablations[-1]["arms"]
    assert (arms[0], len(arms)) == ("full", 16)
    assert all((make_gallery.ROOT / arm).exists() for arm in arms[1:])
    assert all(given["out"] == "there" or given["out"] == Path("there") for given in [search, *ablations])


def test_steps_leave_out_the_rest_and_keep_the_order() -> None:
    programs = [command[0] for command in planned("--steps", "path", "search", "page")]
    assert programs == ["study/run_search.py", "ablations/run_path.py"]


def test_a_plan_names_every_command_and_runs_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert make_gallery.main(["-d", "lfm2k", "--out", str(tmp_path / "out"), "--plan"]) == 0
    assert capsys.readouterr().out.startswith("1/7 study/run_search.py -d lfm2k --study-name lfm2k-search ")
    assert not (tmp_path / "out").exists()


def finished(root: Path) -> Path:
    """A study with tables; its report and figures are stand-ins, as the page only copies them."""
    folder = write_arms(write_search(root), {"full": 0.0, "no-club": -0.03})
    write_tables(compute_tables(Results([load_study(folder)])), folder / "tables")
    (folder / "figures").mkdir()
    for name in FIGURES:
        (folder / "figures" / f"{name}.png").write_bytes(b"picture")
    (folder / "report.html").write_text("<html>of /somewhere/private/tiny</html>")
    call = {
        "source": "/somewhere/private/tiny",
        "command": "study/run_search.py -d tiny",
        "commit": "0123456789abcdef",
        "dirty": False,
        "time": "2000",
    }
    write_json(folder / "provenance.json", {**call, "resumed": [call, {**call, "command": "ablations/run_path.py"}]})
    return folder


def test_the_page_leads_to_report_tables_and_figures_that_lie_beside_it(tmp_path: Path) -> None:
    folder = finished(tmp_path / "results")
    (tmp_path / "gallery" / "tiny").mkdir(parents=True)
    (tmp_path / "gallery" / "tiny" / "old.md").write_text("of an earlier edition")
    page = write_page(folder, tmp_path / "gallery")
    text = page.read_text()
    assert (page.parent / "report.html").read_text() == "<html>of tiny</html>"
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert {"report.html", "statistics.md", "statistics.csv", "ablation.png"} <= set(links)
    assert all((page.parent / link).exists() for link in links)
    assert sorted(path.name for path in page.parent.iterdir() if path.name not in {*links, "README.md"}) == []
    assert sum(link.endswith(".png") for link in links) == FIGURES_SHOWN
    assert "python study/run_search.py -d tiny\npython ablations/run_path.py\n" in text
    assert "at commit `0123456789ab`" in text


def test_another_study_of_the_dataset_has_a_folder_of_its_own(tmp_path: Path) -> None:
    page = write_page(finished(tmp_path / "results"), tmp_path / "gallery", about="dose")
    assert page == tmp_path / "gallery" / "tiny-dose" / "README.md"
    assert page.read_text().startswith("# tiny-dose\n")


def test_every_figure_that_the_page_prefers_is_one() -> None:
    assert set(PREFERRED) <= set(FIGURES)


def test_a_study_without_its_report_is_told_what_writes_it(tmp_path: Path) -> None:
    folder = finished(tmp_path / "results")
    (folder / "report.html").unlink()
    with pytest.raises(UserError, match=r"has no report.html; python study/make_report.py .* write them"):
        write_page(folder, tmp_path / "gallery")

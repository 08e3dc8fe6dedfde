"""Docs name only files that exist, and the drawing of the rooms is the order that import rules enforce."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "gallery").rglob("README.md")),
    ROOT / "results" / "README.md",
]
CODE = ("sea_core", "study", "plots", "ablations", "benchmarks")
OF_OTHERS = {"--help", "--gpus-per-node", "--num-gpus"}  # argparse's, Slurm's and Ray's
NAMED = re.compile(r"`((?:sea_core|study|plots|ablations|benchmarks|tests|docs)/[\w./-]*\w)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    named = NAMED.findall(page.read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_drawing_of_the_rooms_is_the_order_that_import_rules_enforce() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each.get("containers") == ["study"])
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawn = re.findall(r"^ {8}(\w+)\[\"", page, flags=re.MULTILINE)
    assert drawn == layers[2:], "programs and api stand above, outside the box"


def test_who_may_open_the_test_split_is_drawn() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    allowed = next(each["allowed_importers"] for each in contracts if each["type"] == "protected")
    rooms = {name.split(".")[1] for name in allowed if name.startswith("study.")}
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert set(re.findall(r"(\w+) -\.->\|allow-list\| holdout", page)) == rooms


def test_the_readme_is_read_in_three_minutes() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 100


def test_the_map_of_sea_core_names_what_there_is() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = page.partition("## sea_core, file by file")[2].partition("\n## ")[0]
    entry = re.compile(r"`([\w/]+(?:\.py|/))`")
    rows = [row.split("|") for row in section.splitlines() if row.startswith("| `")]
    core = ROOT / "sea_core"
    mapped = {name for row in rows for name in entry.findall(row[1])}
    assert sorted(name for name in mapped if not (core / name).exists()) == []
    named = {name.partition("/")[0] for row in rows for name in entry.findall("|".join(row))}
    parts = {path.name for path in core.iterdir() if not path.name.startswith(("__", "py.typed"))}
    assert sorted(parts - named) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_of_a_page_name_programs_and_options_that_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    programs = re.findall(r"python ((?:study|plots|ablations|benchmarks)/\w+\.py)", text)
    assert [program for program in programs if not (ROOT / program).exists()] == []
    code = (path.read_text(encoding="utf-8") for folder in CODE for path in (ROOT / folder).rglob("*.py"))
    options = {option for source in code for option in re.findall(r'"(--[a-z][\w-]*)"', source)} | OF_OTHERS
    given = [line for line in text.splitlines() if re.search(r"python (study|plots|ablations|-m sea_core)|`--", line)]
    named = {option for line in given for option in re.findall(r"(?<![\w-])(--[a-z][\w-]*)", line)}
    assert sorted(named - options) == []


@pytest.mark.parametrize("page", ["README.md", "docs/findings.jinja", "docs/gallery/README.md"])
def test_measured_numbers_stand_in_files_that_programs_write_and_not_in_tables_of_a_page(page: str) -> None:
    rows = [line for line in (ROOT / page).read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    assert [row for row in rows if len(re.findall(r"\d\.\d", row)) > 1] == []

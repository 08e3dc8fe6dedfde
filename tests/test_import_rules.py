"""What the import rules of ``pyproject.toml`` cannot say by themselves: that no module is outside them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
HOLDOUT = "sea_core.holdout"
MAY_REACH_THE_TEST_SPLIT = (  # prefixes; everything else trains, searches, selects or reads, and must not
    "sea_core.__main__",
    "sea_core.train_command",
    "study.running.fixed_runs",
    "study.selection",
    "study.ablation",
    "study.planning.session",
    "study.run_search",
    "study.api.studies",
    "ablations.run_ablations",
    "ablations.run_path",
)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(
        "sea_core", "study", "plots", "ablations", cache_dir=None, exclude_type_checking_imports=True
    )


def layers() -> set[str]:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    rooms = next(rule for rule in rules if rule["type"] == "layers")
    assert rooms["exhaustive"]
    return {name.strip() for layer in rooms["layers"] for name in layer.split("|")}


def test_every_module_of_study_stands_in_a_layer() -> None:
    there = {path.stem for path in (ROOT / "study").glob("*.py")} | {
        path.parent.name for path in (ROOT / "study").glob("*/__init__.py")
    }
    assert there - {"__init__"} == layers()


def test_only_programs_stand_at_the_door_of_study() -> None:
    modules = [path for path in (ROOT / "study").glob("*.py") if path.stem != "__init__"]
    without = [path.name for path in modules if "run_program(main" not in path.read_text(encoding="utf-8")]
    assert without == []


def test_nothing_outside_the_allow_list_reaches_the_opening_of_the_test_split(graph: grimp.ImportGraph) -> None:
    reaching = graph.find_downstream_modules(HOLDOUT)
    assert sorted(name for name in reaching if not _is_below(name, MAY_REACH_THE_TEST_SPLIT)) == []


def test_only_the_opening_of_the_test_split_reads_its_rows_again() -> None:
    users = [
        path.relative_to(ROOT).as_posix()
        for package in ("sea_core", "study", "plots", "ablations", "benchmarks")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"\b(reopen|_load_test_rows)\b", path.read_text(encoding="utf-8"))
    ]
    assert sorted(users) == ["sea_core/data/catalogue.py", "sea_core/holdout.py"]


def test_no_library_module_is_made_of_test_tools() -> None:
    tools = re.compile(r"^\s*(from|import) (unittest|pytest|hypothesis)\b", re.MULTILINE)
    users = [
        path.relative_to(ROOT).as_posix()
        for package in ("sea_core", "study", "plots", "ablations")
        for path in (ROOT / package).rglob("*.py")
        if tools.search(path.read_text(encoding="utf-8"))
    ]
    assert users == []


def test_the_only_private_name_of_optuna_stands_in_the_file_that_says_why() -> None:
    private = re.compile(r"\b(?!self\b|cls\b)[a-z_]+\._(?!_|replace|asdict|fields)[a-z]\w*|from optuna\S*\._\S*")
    importers = {
        (path.relative_to(ROOT).as_posix(), name)
        for room in ("searching", "selection")
        for path in (ROOT / "study" / room).rglob("*.py")
        for name in private.findall(path.read_text(encoding="utf-8"))
    }
    assert importers == {("study/searching/space.py", "distribution._contains")}


def test_every_entry_of_the_allow_list_is_needed(graph: grimp.ImportGraph) -> None:
    reaching = graph.find_downstream_modules(HOLDOUT)
    unused = [prefix for prefix in MAY_REACH_THE_TEST_SPLIT if not any(_is_below(m, (prefix,)) for m in reaching)]
    assert unused == []


def _is_below(module: str, prefixes: tuple[str, ...]) -> bool:
    return any(module == prefix or module.startswith(f"{prefix}.") for prefix in prefixes)

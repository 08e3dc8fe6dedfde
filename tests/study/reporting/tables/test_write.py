"""Tables are a function of the records: each has its files' name, and what is no longer true does not stay."""

import shutil
from pathlib import Path

from study.analysis.results import Results
from study.records.study import load_study
from study.reporting.tables.write import TABLES, compute_tables, write_tables
from tests.study.results import write_arms, write_search

ARMS = {"full": 0.0, "no-club": -0.02, "no-solosim": 0.0, "no-both": -0.02}


def write(root: Path) -> set[str]:
    write_tables(compute_tables(Results([load_study(root)])), root / "tables")
    return {path.name for path in (root / "tables").iterdir()}


def test_a_table_is_listed_by_the_name_of_its_files(tmp_path: Path) -> None:
    root = write_arms(write_search(tmp_path), ARMS)
    results = Results([load_study(root)])
    computed = {name: table for name, compute in TABLES.items() if (table := compute(results)) is not None}
    assert len(computed) >= 7
    assert {name: table.name for name, table in computed.items()} == {name: name for name in computed}


def test_tables_of_arms_that_are_gone_go_too_and_other_files_stay(tmp_path: Path) -> None:
    root = write_arms(write_search(tmp_path), ARMS)
    (root / "tables").mkdir()
    (root / "tables" / "trials.csv").write_text("written by the search\n")
    (root / "tables" / "mine.md").write_text("the user's\n")
    assert {"ablation.md", "factorial.tex", "statistics.csv"} <= write(root)
    (root / "final" / "former").mkdir()
    shutil.move(root / "ablations", root / "final" / "former")  # as a new winner does
    left = write(root)
    assert left.isdisjoint({f"{name}.{end}" for name in ("ablation", "factorial") for end in ("csv", "md", "tex")})
    assert {"trials.csv", "mine.md", "overall.csv"} <= left

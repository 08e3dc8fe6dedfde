from __future__ import annotations

import json
from pathlib import Path

import pytest

from sea_core.errors import UserError
from study.records.study import load_study
from study.reporting.bundling.check import check_tables, other_code
from study.reporting.bundling.contents import ENVIRONMENT


@pytest.fixture
def study(tmp_path: Path, bundle: Path) -> Path:
    return tmp_path / "tiny-search"


def differing(root: Path) -> dict[str, str]:
    return {table.name: table.difference for table in check_tables(load_study(root)) if table.difference}


def test_tables_that_were_just_written_are_equal(study: Path) -> None:
    tables = check_tables(load_study(study))
    assert {"overall", "ablation", "trials"} <= {table.name for table in tables}
    assert all(not table.difference and table.rounded == 0 for table in tables)


@pytest.mark.slow
def test_a_changed_cell_a_lost_row_and_a_table_of_nobody_are_named(study: Path) -> None:
    path = study / "tables" / "ablation.csv"
    whole = path.read_text()
    first = whole.splitlines()[1].split(",")
    path.write_text(whole.replace(first[5], "0.9", 1))
    assert differing(study) == {"ablation": f"row 1, mean: np.float64(0.9); computed np.float64({first[5]})"}
    path.write_text(whole.replace("no-club", "no-clubs", 1))
    assert "computed 'no-club'" in differing(study)["ablation"]
    path.write_text("\n".join(whole.splitlines()[:-1]))
    assert "rows; computed" in differing(study)["ablation"]
    path.write_text(whole)
    (study / "tables" / "mine.csv").write_text("a\n1\n")
    assert differing(study) == {"mine": "the records do not give it; was it made with a plugin that is not loaded?"}
    (study / "tables" / "mine.csv").unlink()
    path.unlink()
    assert differing(study) == {"ablation": "it is not in the bundle"}


def test_a_changed_record_shows_in_a_table(study: Path) -> None:
    path = study / "trials" / "0" / "record.json"
    record = json.loads(path.read_text())
    record["trial"]["value"] += 1e-6
    path.write_text(json.dumps(record))
    assert "trials" in differing(study)


def test_what_another_order_of_sums_changes_is_rounding(study: Path) -> None:
    path = study / "tables" / "ablation.csv"
    whole = path.read_text()
    value = whole.splitlines()[1].split(",")[5]
    path.write_text(whole.replace(value, repr(float(value) * (1 + 1e-13)), 1))
    (table,) = [table for table in check_tables(load_study(study)) if table.rounded]
    assert (table.name, table.difference) == ("ablation", "")
    assert table.rounded == pytest.approx(1e-13, rel=0.01)


def test_another_commit_is_noted_and_a_damaged_environment_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("study.reporting.bundling.check.source_version", lambda: {"commit": "b" * 40, "dirty": False})
    for commits, note in (
        ([], None),
        (["b" * 40], None),
        (["a" * 40, "b" * 40 + "-dirty"], None),
        (["a" * 40], f"made at commit {'a' * 12}, checked at {'b' * 12}"),
    ):
        (tmp_path / ENVIRONMENT).write_text(json.dumps({"commits": commits}))
        assert other_code(tmp_path) == note
    (tmp_path / ENVIRONMENT).write_text("[]")
    with pytest.raises(UserError, match=r"environment\.json is missing or damaged"):
        other_code(tmp_path)

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from study.analysis.results import Results
from study.records.study import load_study
from study.reporting.tables import costs
from study.reporting.tables.costs import WATTS_PER_CORE
from study.reporting.tables.table import Table
from tests.study.results import write_arms, write_result, write_search


def change(root: Path, pattern: str, **keys: Any) -> None:
    paths = sorted(root.glob(f"{pattern}/record.json"))
    assert paths
    for path in paths:
        path.write_text(json.dumps(json.loads(path.read_text()) | keys))


def table_of(root: Path) -> Table | None:
    return costs.compute(Results([load_study(root)]))


def lines_of(root: Path) -> dict[str, dict[str, Any]]:
    table = table_of(root)
    assert table is not None
    return {line["part"]: line for line in table.frame.to_dict("records")}


def test_an_arms_cost_is_the_sum_of_its_seeds_and_its_energy_that_of_its_cores(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0, "no-club": 0.0}, seeds=3)
    change(root, "ablations/frozen/full/*", seconds=100.0, cpu_seconds=180.0, threads=2)
    change(root, "ablations/frozen/no-club/*", seconds=50.0, cpu_seconds=60.0, threads=2)
    lines = lines_of(root)
    assert lines["full (frozen)"]["cpu_seconds"] == 540
    assert lines["full (frozen)"]["watt_hours"] == pytest.approx(540 * WATTS_PER_CORE / 3600)
    assert (lines["no-club (frozen)"]["seconds"], lines["no-club (frozen)"]["cpu_seconds"]) == (150, 180)
    table = table_of(root)
    assert table is not None
    assert table.rows[-1] == ["all", "", "6", "0.125", "0.200", f"{720 * WATTS_PER_CORE / 3600:.2f}"]
    assert f"{WATTS_PER_CORE:g} W for each busy core" in table.caption
    assert table.notes == []


def test_runs_that_did_not_measure_it_are_bounded_by_their_threads_and_counted(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0}, seeds=2)
    change(root, "ablations/frozen/full/*", seconds=100.0, threads=2)
    assert lines_of(root)["full (frozen)"]["cpu_seconds"] == 400
    table = table_of(root)
    assert table is not None
    assert table.notes[0].startswith("2 of 2 runs did not measure their processor time")


def test_copies_and_duplicates_cost_nothing(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    write_arms(root, {"full": 0.0}, seeds=2)
    change(root, "*/*/*", seconds=10.0, cpu_seconds=10.0)
    change(root, "trials/0", seconds=10.0, cpu_seconds=10.0)
    change(root, "ablations/frozen/full/seed-1", seconds=10.0, cpu_seconds=10.0, copied_from="elsewhere")
    change(root, "ablations/frozen/full/seed-2", seconds=10.0, cpu_seconds=10.0)
    lines = lines_of(root)
    assert lines["full (frozen)"]["runs"] == 1
    assert lines["search"]["cpu_seconds"] == 10
    assert lines["winner"]["runs"] == 2


def test_copies_of_the_full_model_and_control_trials_cost_too(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    write_result(root / "placebos" / "placebo-1" / "seed-9", 0.1, seed=9, mode="placebo", arm="placebo-1")
    write_result(root / "final" / "controls" / "0" / "seed-9", 0.1, seed=9, trial={"number": 0})
    change(root, "**", seconds=10.0, cpu_seconds=10.0)
    runs = {part: line["runs"] for part, line in lines_of(root).items()}
    assert runs == {"search": 1, "winner": 2, "baselines": 2, "placebos": 1, "controls": 1}


def test_a_study_whose_records_tell_no_time_has_no_table(tmp_path: Path) -> None:
    assert table_of(write_arms(tmp_path / "s", {"full": 0.0})) is None

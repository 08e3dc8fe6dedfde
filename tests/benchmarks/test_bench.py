"""The figures of the performance page lie in a CSV that the benchmark remakes."""

import csv
from pathlib import Path

from benchmarks.bench import write_numbers

PAGE = Path(__file__).parents[2] / "docs"


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_replaces_its_own_processors_numbers_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "performance.csv"
    write_numbers(path, "Xeon", {"step_seconds": 0.4, "speedup": 8.0})
    write_numbers(path, "EPYC", {"step_seconds": 0.6})
    write_numbers(path, "Xeon", {"step_seconds": 0.3})
    assert [tuple(row.values()) for row in read(path)] == [
        ("EPYC", "step_seconds", "0.600"),
        ("Xeon", "speedup", "8.000"),
        ("Xeon", "step_seconds", "0.300"),
    ]


def test_ratios_on_the_page_are_those_of_their_seconds() -> None:
    rows = read(PAGE / "performance.csv")
    for processor in {row["processor"] for row in rows}:
        values = {row["quantity"]: float(row["value"]) for row in rows if row["processor"] == processor}
        assert abs(values["step_over_floor"] - values["step_seconds"] / values["floor_seconds"]) < 0.02
        assert abs(values["speedup_float32"] - values["literal_seconds"] / values["step_seconds"]) < 0.1

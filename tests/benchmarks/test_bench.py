"""The figures of the performance page lie in a CSV that the benchmark remakes."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("program", ["bench", "growth", "neighbours"])
def test_threads_of_a_benchmark_wait_as_those_of_a_program_do(program: str) -> None:
    """GNU OpenMP reads the variable when torch is imported, so it must be there before."""
    look = "import os, sys\n"
    look += "class Look:\n"
    look += "    def find_spec(self, name, *rest):\n"
    look += "        if name == 'torch': print(os.environ.get('GOMP_SPINCOUNT')); raise SystemExit(0)\n"
    look += "sys.meta_path.insert(0, Look())\n"
    look += f"import benchmarks.{program}\n"
    unset = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    seen = subprocess.run(
        [sys.executable, "-c", look], env=unset, cwd=PAGE.parent, capture_output=True, text=True, check=True
    )
    assert seen.stdout.split() == ["20000"]

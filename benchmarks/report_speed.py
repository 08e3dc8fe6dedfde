"""How long the results of a large study take to show: part of ``make bench-study``.

A study of 20,000 users, 5 seeds and 10 arms is written from formulas, then the programs run on it as a user would, each
in a process of its own: tables, figures and report. Processor time says what it would be if nothing else ran. The last
line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sea_core.provenance import machine
from study.records.arm_names import suite_arms
from study.records.folder import StudyFolder
from tests.plots.tiny_study import write_run, write_study

ROOT = Path(__file__).resolve().parents[1]
MOST_SECONDS = 20.0  # of tables and report together, each as a whole command


def main() -> int:
    """Measure and print; exit code 1 if tables and report took longer than they may."""
    parser = argparse.ArgumentParser(prog="benchmarks/report_speed.py", description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=20_000, help="tested in every run (default: 20000)")
    parser.add_argument("--seeds", type=int, default=5, help="of the winner and of every arm (default: 5)")
    parser.add_argument("--arms", type=int, default=10, help="full among them (default: 10)")
    arguments = parser.parse_args()
    print(f"machine: {machine()}")
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}\n")
    with tempfile.TemporaryDirectory() as folder:
        root = write_large_study(Path(folder), users=arguments.users, seeds=arguments.seeds, arms=arguments.arms)
        programs = {
            "tables": "study/make_tables.py",
            "report": "study/make_report.py",
            "figures": "plots/make_figures.py",
        }
        took = {name: _run(ROOT / program, root) for name, program in programs.items()}
    for name, (wall, processor) in took.items():
        print(f"  {name:<8} {wall:6.1f} s, {processor:6.1f} s of processor time")
    wall, processor = (sum(took[name][which] for name in ("tables", "report")) for which in (0, 1))
    print(json.dumps({"tables_and_report_seconds": round(wall, 1), "processor_seconds": round(processor, 1)}))
    return 0 if wall <= MOST_SECONDS else 1


def write_large_study(folder: Path, *, users: int, seeds: int, arms: int) -> Path:
    """A search of 30 trials with winner, baseline and arms, as a study leaves them."""
    root = write_study(folder, seeds=seeds, users=users)
    there = {path.name for path in (root / "ablations" / "frozen").iterdir()}
    more = [arm for arm in suite_arms("all") if arm not in there][: arms - len(there)]
    for index, arm in enumerate(more):
        for seed in range(1001, 1001 + seeds):
            path, change = StudyFolder(root).ablation("frozen", arm, seed), -0.001 * index
            write_run(path, seed=seed, users=users, test=True, change=change, arm=arm, arm_title=arm, mode="frozen")
    return root


def _run(program: Path, study: Path) -> tuple[float, float]:
    """Wall and processor seconds of a program, from its start to its end."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, str(program), str(study)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - programs of this project
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - begun, processor


if __name__ == "__main__":
    sys.exit(main())

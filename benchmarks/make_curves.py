"""Program: train many configurations to convergence and keep their learning curves. ``make_curves.py -d DATASET``.

Validation only: the test split stays closed. Killed at any time, the same command goes on; hours of one-thread
processes, so they are as polite as the system lets them be.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["OMP_NUM_THREADS"] = "1"  # one thread a process: equal bits however many processes there are

from benchmarks.curve_plan import CONFIGURATIONS, MOST_EPOCHS, PlannedRun, plan
from benchmarks.curve_runs import CHECKPOINT_SECONDS, train_planned
from benchmarks.curve_table import collect, finished_runs
from benchmarks.workers import log_to, share_work
from sea_core.data.catalogue import load_dataset
from sea_core.data.dataset import Dataset
from sea_core.errors import INTERRUPTED, run_program
from sea_core.interrupts import StopRequest

CURVES = Path(__file__).resolve().parent / "curves"


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks/make_curves.py", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("-d", "--dataset", required=True, metavar="NAME|PATH", help="what to train on")
    add("--data-root", type=Path, default=Path("data"), metavar="DIR", help="where named folders lie (default: data)")
    text = "folder of finished runs, checkpoints and the log; any number of processes may share it (default: results)"
    add("--work", type=Path, default=Path("results/curves"), metavar="DIR", help=text)
    text = "where the table goes; the runs it holds are not made again (default: benchmarks/curves)"
    add("--out", type=Path, default=CURVES, metavar="DIR", help=text)
    text = f"how many, from the base configuration on (default: {CONFIGURATIONS})"
    add("--configurations", type=int, default=CONFIGURATIONS, metavar="N", help=text)
    text = f"cap of a run, which may stop earlier (default: {MOST_EPOCHS})"
    add("--epochs", type=int, default=MOST_EPOCHS, metavar="N", help=text)
    add("--workers", type=int, default=1, metavar="N", help="processes of one thread each (default: 1)")
    text = f"least time between two checkpoints of a run (default: {CHECKPOINT_SECONDS:.0f})"
    add("--checkpoint-seconds", type=float, default=CHECKPOINT_SECONDS, metavar="S", help=text)
    add("--collect", action="store_true", help="train nothing; write the table from what is finished")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what is missing, then write the table."""
    options = make_parser().parse_args(arguments)
    runs = plan(options.configurations, most_epochs=options.epochs)
    dataset = load_dataset(options.dataset, data_root=options.data_root)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", dataset.name)
    out, work = options.out / f"{name}.parquet", options.work / name
    held = finished_runs(out, runs, dataset.data_hash)
    missing = [run for run in runs if (run.configuration, run.seed) not in held]
    if not options.collect:
        work.mkdir(parents=True, exist_ok=True)
        print_line = log_to(work / "log.txt", name)
        print_line(f"{len(runs)} runs planned, {len(runs) - len(missing)} in {out}, {options.workers} workers")
        train = partial(_work, missing, dataset, work, options.checkpoint_seconds)
        if not share_work(train, workers=options.workers):
            return INTERRUPTED
    finished, planned = collect(out, work, runs, dataset)
    print(f"{finished} of {planned} runs in {out}")
    return 0


def _work(runs: list[PlannedRun], dataset: Dataset, work: Path, checkpoint_seconds: float, stop: StopRequest) -> None:
    print_line = log_to(work / "log.txt", work.name)
    train_planned(runs, dataset, work, stop=stop, print_line=print_line, checkpoint_seconds=checkpoint_seconds)


if __name__ == "__main__":
    sys.exit(run_program(main))

"""Trials per minute of two single-thread workers over those of one: ``make bench-study``.

Both are warm and train the same runs in turn, with the driver and the records of a real study. Wall time says how it
is on this machine now; processor time (of all processes, Ray's among them) says how it would be if nothing else ran:
two cores at work give ``2 x processor time of one / processor time of two``. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
# Ray's default of 15 yields to whatever else runs, which the worker in this process does not.
os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - its own spelling
os.environ["OMP_NUM_THREADS"] = "1"  # two workers of one thread each, and a driver that computes nothing

import psutil

from benchmarks.timing import interleave
from sea_core.config import Config
from sea_core.data.catalogue import load_dataset
from sea_core.interrupts import StopRequest
from sea_core.provenance import machine, versions
from study.records.run import Run
from study.running.driver import drive
from study.running.events import silent
from study.running.executors.base import Executor
from study.running.executors.make import make_executor
from study.running.fixed_runs import FixedRuns
from study.running.resources import Resources

# As large as Last.fm 2K: an epoch takes a second, as those of real studies do at least.
LFM2K_SIZE = "synthetic:users=1858,items=1425,interactions=40,dims=512/384"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks/study_throughput.py", description=__doc__.splitlines()[0])
    parser.add_argument("-d", "--dataset", default=LFM2K_SIZE, help="what to train on (default: %(default)s)")
    parser.add_argument("--trials", type=int, default=4, help="runs in a round (default: 4)")
    parser.add_argument("--epochs", type=int, default=2, help="of each run (default: 2)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the interleaved timings (default: 3)")
    arguments = parser.parse_args()

    dataset = load_dataset(arguments.dataset, data_root=Path("data"))
    config = Config(epochs=arguments.epochs, stopping_step=arguments.epochs)
    executors = {workers: make_executor(dataset, Resources(workers=workers, threads=1)) for workers in (1, 2)}

    processor: dict[int, list[float]] = {1: [], 2: []}

    def train(workers: int, executor: Executor) -> None:
        before = _processor_seconds()
        with tempfile.TemporaryDirectory() as folder:
            runs = [Run(config, n, Path(folder) / str(n), "finalist", f"run {n}") for n in range(arguments.trials)]
            source = FixedRuns(runs, dataset=dataset, emit=silent)
            drive(source, executor, emit=silent, stop=StopRequest())
        processor[workers].append(_processor_seconds() - before)

    print(f"machine: {machine()}")
    print(f"versions: {versions()}")
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}\n")
    try:
        times = interleave(
            {"one": lambda: train(1, executors[1]), "two": lambda: train(2, executors[2])}, rounds=arguments.rounds
        )
    finally:
        for executor in executors.values():
            executor.close()
    pace = {name: 60 * arguments.trials / timing.median for name, timing in times.items()}
    for name, timing in times.items():
        print(f"  {name:>3} worker{'s' if name == 'two' else ' '} {timing}   {pace[name]:7.1f} trials a minute")
    ratios = sorted(one / two for one, two in zip(times["one"].seconds, times["two"].seconds, strict=True))
    print(f"  ratio of each round: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")
    one, two = (statistics.median(seconds[1:]) for seconds in processor.values())  # the first was warming up
    print(f"  processor time of a round: one worker {one:.2f} s, two workers {two:.2f} s")
    ratio = times["one"].median / times["two"].median
    print(json.dumps({"throughput_two_over_one": round(ratio, 3), "by_processor_time": round(2 * one / two, 3)}))
    return 0


def _processor_seconds() -> float:
    """Of this process and all its living descendants."""
    total = 0.0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total


if __name__ == "__main__":
    sys.exit(main())

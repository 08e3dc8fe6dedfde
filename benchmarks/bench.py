"""Speed and memory as ratios measured side by side: ``make bench``, and with growth curves ``make bench-full``.

The last line is one JSON object with the ratios that the project holds itself to (docs/performance.md).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import sea_core  # noqa: F401 - before torch, whose threads read at its import how long to wait: as programs have it

# isort: split
import torch

from benchmarks.evaluation_speed import time_evaluations
from benchmarks.knn_memory import approximate_item_graph, item_graph_memory
from benchmarks.model_speed import model_memory, time_models
from benchmarks.neighbours import LFM2K_SIZE, time_neighbours
from benchmarks.overhead import epoch_overhead, epoch_seconds, startup_seconds
from benchmarks.problem import BABY, make_step, random_problem
from benchmarks.roofline import time_rooflines
from benchmarks.step_memory import training_memory
from benchmarks.step_speed import time_steps
from benchmarks.timing import Timing, interleave
from sea_core.config import Config
from sea_core.provenance import machine, versions


def main() -> int:
    """Run the benchmarks the command line asks for."""
    parser = argparse.ArgumentParser(prog="benchmarks/bench.py", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--full", action="store_true", help="also growth curves and the whole item graph (10 to 20 minutes)"
    )
    parser.add_argument("--only", nargs="+", choices=PIECES, metavar="PIECE", help=f"some of: {', '.join(PIECES)}")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of the interleaved timings (default: 7)")
    parser.add_argument("--epoch-of", metavar="FOLDER", help="also time an epoch of this MMRec folder")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write the ratios there: docs/performance.csv")
    arguments = parser.parse_args()

    started = time.perf_counter()
    print(f"machine: {machine()}")
    print(f"versions: {versions()}")
    print(f"threads: {torch.get_num_threads()}; load of the last minute: {os.getloadavg()[0]:.1f}\n")
    numbers: dict[str, float] = {}
    for piece in arguments.only or PIECES:
        numbers |= PIECES[piece](arguments)
    if arguments.full:
        from benchmarks.growth import report_growth

        print("\nGrowth, one size at a time, the others at Baby's (seconds a step):")
        report_growth()
    print(f"\nbenchmarks took {time.perf_counter() - started:.0f} s")
    if arguments.csv is not None:
        write_numbers(arguments.csv, str(machine()["cpu"]), numbers)
    print(json.dumps({name: round(value, 3) for name, value in numbers.items()}))
    return 0


def write_numbers(path: Path, processor: str, numbers: Mapping[str, float]) -> None:
    """Put a run's numbers into a CSV of several processors, in the place of those that this one had there.

    Args:
        path: with the columns ``processor``, ``quantity``, ``value``, or missing.
        processor: whose numbers they are.
        numbers: quantity -> value.
    """
    rows: list[tuple[str, str, str]] = []
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            rows = [(row["processor"], row["quantity"], row["value"]) for row in csv.DictReader(file)]
    kept = [row for row in rows if row[0] != processor or row[1] not in numbers]
    new = [(processor, name, f"{value:.3f}") for name, value in numbers.items()]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("processor", "quantity", "value"), *sorted(kept + new)])


def _steps(arguments: argparse.Namespace) -> dict[str, float]:
    print("A training step at Amazon Baby's size (7,050 items, 4,096 + 384 features):")
    times = time_steps(rounds=arguments.rounds)
    _print_times(times)
    literal, fast = times["literal"].median, times["float32"].median
    return {
        "floor_seconds": times["floor"].median,
        "step_seconds": fast,
        "literal_seconds": literal,
        "step_over_floor": fast / times["floor"].median,
        "speedup_float32": literal / fast,
        "speedup_bf16": literal / times["bf16"].median,
        "speedup_rank512": literal / times["rank512"].median,
    }


def _roofline(arguments: argparse.Namespace) -> dict[str, float]:
    return time_rooflines(rounds=arguments.rounds)


def _models(arguments: argparse.Namespace) -> dict[str, float]:
    print("\nA step of the rivals at the same size, beside their literal twins, and their peak at Amazon Clothing's:")
    numbers = {}
    for name, (literal, fast) in time_models(rounds=arguments.rounds).items():
        memory, ratio = model_memory(name), literal.median / fast.median
        seconds = f"{fast.median:8.4f} s   twin {literal.median:8.4f} s"
        print(f"  {name:<20}{seconds}   {ratio:5.1f} x   {memory.peak_gb:5.2f} GB")
        numbers[f"speedup_{name.replace(', ', '_')}"] = ratio
        numbers[f"peak_gb_{name.replace(', ', '_')}"] = memory.peak_gb
    return numbers


def _evaluation(arguments: argparse.Namespace) -> dict[str, float]:
    print("\nFull ranking of its validation split, all metrics at K = 10, 20:")
    times = time_evaluations(rounds=max(1, arguments.rounds - 2))
    _print_times(times)
    return {"evaluation_speedup": times["loop over users"].median / times["evaluation"].median}


def _memory(arguments: argparse.Namespace) -> dict[str, float]:
    print("\nPeak memory, each in a process of its own:")
    training = training_memory()
    print(f"  training at Amazon Clothing's size      {training.peak_gb:6.2f} GB   ({training.result:.2f} s a step)")
    graph = item_graph_memory(row_blocks=None if arguments.full else 2)
    rows, seconds = graph.result["rows"], graph.result["seconds"]
    print(f"  item graph, 63,001 items x 4,096        {graph.peak_gb:6.2f} GB   ({rows:,} rows in {seconds:.0f} s)")
    if arguments.full:
        near = approximate_item_graph()
        measured = f"{near.result['seconds']:.0f} s, recall {near.result['recall']:.3f}"
        print(f"  the same by nearest-neighbour descent   {near.peak_gb:6.2f} GB   ({measured})")
    return {"peak_gb_clothing": training.peak_gb, "knn_peak_gb": graph.peak_gb}


def _neighbours(arguments: argparse.Namespace) -> dict[str, float]:
    return time_neighbours(LFM2K_SIZE, rounds=arguments.rounds)


def _overhead(arguments: argparse.Namespace) -> dict[str, float]:
    folder = arguments.epoch_of
    print("\nBeside the steps:")
    step = interleave({"step": make_step(Config(), random_problem(BABY))}, rounds=3)["step"].median
    beside, startup = epoch_overhead(step), startup_seconds()
    for name, value in beside.items():
        shown = f"{value:9.2%} of an epoch" if name == "share" else f"{value:9.3f} s an epoch"
        print(f"  {name:<38}{shown}")
    print(f"  start-up to the first epoch's end     {startup:9.2f} s   (synthetic, cached)")
    numbers = {"overhead_share": beside["share"], "startup_seconds": startup}
    if folder is not None:
        name = Path(folder).name
        numbers[f"epoch_seconds_{name}"] = epoch_seconds(folder)
        print(f"  an epoch of {name:<26}{numbers[f'epoch_seconds_{name}']:9.2f} s")
    return numbers


def _print_times(times: dict[str, Timing]) -> None:
    for name, timing in times.items():
        print(f"  {name:<20}{timing}")


PIECES: dict[str, Callable[[argparse.Namespace], dict[str, float]]] = {
    "steps": _steps,
    "roofline": _roofline,
    "models": _models,
    "evaluation": _evaluation,
    "memory": _memory,
    "overhead": _overhead,
    "neighbours": _neighbours,
}


if __name__ == "__main__":
    sys.exit(main())

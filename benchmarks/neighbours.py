"""What busy programs beside it cost a training run: seconds of an epoch alone, with one neighbour, and with two.

A neighbour is a process that computes without end at the lowest priority (niceness 19). They are paused and woken in
turn, so that all conditions share the machine's moods. The last line is one JSON object: the ratios to the epoch alone.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import sea_core  # noqa: F401 - before torch, whose threads read at its import how long to wait: as programs have it

# isort: split
import torch

from benchmarks.timing import Timing
from sea_core.config import Config
from sea_core.data.catalogue import load_dataset
from sea_core.provenance import machine, versions
from sea_core.training.run import TrainingRun

# As large as Last.fm 2K.
LFM2K_SIZE = "synthetic:users=1858,items=1425,interactions=40,dims=512/384"
_BUSY = "import os\nos.nice(19)\nwhile True: pass"
_WAKING_SECONDS = 0.3


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks/neighbours.py", description=__doc__.splitlines()[0])
    parser.add_argument("-d", "--dataset", default=LFM2K_SIZE, help="what to train on (default: %(default)s)")
    parser.add_argument("--data-root", type=Path, default=Path("data"), help="where named folders lie (default: data)")
    parser.add_argument("--threads", type=int, default=2, help="threads of the run (default: 2)")
    parser.add_argument("--neighbours", type=int, default=2, help="the most at a time (default: 2)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of the interleaved timings (default: 7)")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    print(f"machine: {machine()}")
    print(f"versions: {versions()}")
    print(f"load of the last minute: {os.getloadavg()[0]:.1f}; threads of the run: {torch.get_num_threads()}")
    ratios = time_neighbours(
        arguments.dataset, data_root=arguments.data_root, most=arguments.neighbours, rounds=arguments.rounds
    )
    print(json.dumps({name: round(value, 3) for name, value in ratios.items()}))
    return 0


def time_neighbours(dataset: str, *, rounds: int, most: int = 2, data_root: Path = Path("data")) -> dict[str, float]:
    """Print seconds of an epoch; returns ``epoch_with_<count>``, how many times longer it is."""
    print(f"\nAn epoch of {dataset} beside busy programs of niceness 19:")
    run = TrainingRun(Config(epochs=10_000, stopping_step=10_000), load_dataset(dataset, data_root=data_root), seed=0)
    run.advance()  # compiles, and fills caches
    seconds: dict[int, list[float]] = {busy: [] for busy in range(most + 1)}
    with _neighbours(most) as wake:
        for _ in range(rounds):
            for busy, values in seconds.items():
                wake(busy)
                values.append(run.advance().seconds)
    times = {busy: Timing(tuple(values)) for busy, values in seconds.items()}
    for busy, timing in times.items():
        print(f"  {busy} neighbours        {timing}")
    return {f"epoch_with_{busy}": timing.median / times[0].median for busy, timing in times.items() if busy}


@contextlib.contextmanager
def _neighbours(most: int) -> Iterator[Callable[[int], None]]:
    """Start busy processes, all paused; yields what lets so many of them run and pauses the others."""
    processes = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(most)]  # noqa: S603 - our own text

    def wake(count: int) -> None:
        for index, process in enumerate(processes):
            process.send_signal(signal.SIGCONT if index < count else signal.SIGSTOP)
        time.sleep(_WAKING_SECONDS)

    try:
        wake(0)
        yield wake
    finally:
        for process in processes:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())

"""Program: train one configuration on many seeds and keep every user's metrics. ``make_seeds.py -d DATASET``.

The records of an A/A test: copies that differ by chance alone, on validation and on test. The test split is opened once
a copy and leaves a receipt. Killed at any time, the same command goes on. ``calibrate_statistics.py`` reads the table.
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

from benchmarks.seed_runs import MOST_EPOCHS, SeedRun, base_config, collect, plan, train_copies
from benchmarks.workers import log_to, share_work
from sea_core.config import Config
from sea_core.data.catalogue import load_dataset
from sea_core.data.dataset import Dataset
from sea_core.errors import INTERRUPTED, run_program
from sea_core.interrupts import StopRequest

SEEDS = Path(__file__).resolve().parent / "seeds"


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks/make_seeds.py", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("-d", "--dataset", required=True, metavar="NAME|PATH", help="what to train on")
    add("--data-root", type=Path, default=Path("data"), metavar="DIR", help="where named folders lie (default: data)")
    add("--seeds", type=int, default=64, metavar="N", help="copies with a seed of their own (default: 64)")
    text = "copies that share the first one's seed but for their negatives (default: 16)"
    add("--negatives", type=int, default=16, metavar="N", help=text)
    add("--epochs", type=int, default=MOST_EPOCHS, metavar="N", help=f"cap of a run (default: {MOST_EPOCHS})")
    text = "folder of finished copies, checkpoints and the log; several processes may share it (default: results)"
    add("--work", type=Path, default=Path("results/seeds"), metavar="DIR", help=text)
    add("--out", type=Path, default=SEEDS, metavar="DIR", help="where the table goes (default: benchmarks/seeds)")
    add("--workers", type=int, default=1, metavar="N", help="processes of one thread each (default: 1)")
    add("--collect", action="store_true", help="train nothing; write the table from what is finished")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what is missing, then write the table."""
    options = make_parser().parse_args(arguments)
    runs, config = plan(options.seeds, negatives=options.negatives), base_config(options.epochs)
    dataset = load_dataset(options.dataset, data_root=options.data_root, modalities=config.modalities)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", dataset.name)
    work = options.work / name
    if not options.collect:
        work.mkdir(parents=True, exist_ok=True)
        if not share_work(partial(_work, runs, dataset, work, config), workers=options.workers):
            return INTERRUPTED
    out = options.out / f"{name}.parquet"
    print(f"{collect(out, work, runs, dataset, config)} of {len(runs)} copies in {out}")
    return 0


def _work(runs: list[SeedRun], dataset: Dataset, work: Path, config: Config, stop: StopRequest) -> None:
    train_copies(runs, dataset, work, config=config, stop=stop, print_line=log_to(work / "log.txt", work.name))


if __name__ == "__main__":
    sys.exit(run_program(main))

"""Several polite one-thread processes that share a folder of work; a Ctrl-C lets each finish its epoch."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sea_core.errors import INTERRUPTED, UserError, run_program
from sea_core.interrupts import StopRequest, graceful_stop
from sea_core.training.loop import Stopped

Work = Callable[[StopRequest], None]


def share_work(work: Work, *, workers: int) -> bool:
    """Do the same work in this process or in several; whether all came to their end.

    Args:
        work: takes what is left to do one by one, until nothing is; picklable if there are several workers.
        workers: processes, at least 1.

    Raises:
        UserError: a worker ended with an error, whose message it has printed.
    """
    if workers < 1:
        raise UserError(f"--workers must be at least 1, got {workers}")
    if workers == 1:
        return _to_its_end(work)
    processes = [multiprocessing.get_context("spawn").Process(target=_and_exit, args=(work,)) for _ in range(workers)]
    for process in processes:
        process.start()
    with graceful_stop() as stop:
        asked = False
        while any(process.is_alive() for process in processes):
            time.sleep(0.2)
            if stop.asked and not asked:
                asked = True
                for process in processes:
                    process.terminate()  # which lets it finish its epoch and write a checkpoint
    codes = {process.exitcode for process in processes}
    if failed := codes - {0, INTERRUPTED}:
        raise UserError(f"a worker ended with code {failed.pop()}; its message is above; repeat the command")
    return codes == {0}


def log_to(path: Path, name: str) -> Callable[[str], None]:
    """Says a line on the screen and in a file."""

    def print_line(line: str) -> None:
        text = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {name}: {line}"
        print(text, flush=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")

    return print_line


def _and_exit(work: Work) -> None:
    sys.exit(run_program(lambda: 0 if _to_its_end(work) else INTERRUPTED))


def _to_its_end(work: Work) -> bool:
    os.nice(19)
    try:
        with graceful_stop() as stop:
            work(stop)
    except Stopped:
        print("stopped; the same command continues from here", file=sys.stderr)
        return False
    return True


def read_table(path: Path, *, schema: int, made_by: str) -> pd.DataFrame:
    """A Parquet table of records that states its schema.

    Raises:
        UserError: no such file, a damaged one or one of a newer schema.
    """
    try:
        table = pq.read_table(path)
        stated = int(table.schema.metadata[b"schema_version"])
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}; make it with {made_by}") from None
    if stated > schema:
        raise UserError(f"{path} has schema_version {stated}, this version reads up to {schema}")
    return table.to_pandas()

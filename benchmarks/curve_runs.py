"""Training the planned runs: one small file each, in a work folder that any number of processes may share."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from benchmarks.curve_plan import PlannedRun
from sea_core.data.dataset import Dataset
from sea_core.errors import DivergedError, UserError
from sea_core.evaluation.full_ranking import NonFiniteScoresError
from sea_core.files import write_json
from sea_core.interrupts import StopRequest
from sea_core.provenance import machine, versions
from sea_core.training.loop import train_to_end
from sea_core.training.run import EpochReport, TrainingRun
from study.records.provenance import source_version

SCHEMA_VERSION = 1
CHECKPOINT_SECONDS = 120.0


def train_planned(
    runs: Sequence[PlannedRun],
    dataset: Dataset,
    work: Path,
    *,
    stop: StopRequest,
    print_line: Callable[[str], None],
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> None:
    """Train, in order, the runs that have no file yet and that no other process has taken.

    Args:
        runs: those to make, in order.
        dataset: what they train on; its test rows are not there.
        work: folder of this dataset's files; it exists.
        stop: asked for between epochs.
        print_line: told one line a run.
        checkpoint_seconds: least time between two checkpoints of a run.

    Raises:
        Stopped: ``stop`` was asked for, and the run has its checkpoint.
        UserError: a file of the work folder is damaged or of another plan or data.
    """
    torch.set_num_threads(1)
    source = {**source_version(), "versions": versions(), "machine": machine(), "threads": 1}
    for run in runs:
        if (work / f"{run.name}.json").exists():
            continue
        try:
            with FileLock(work / f"{run.name}.lock", timeout=0):
                if not (work / f"{run.name}.json").exists():
                    trained = _train(run, dataset, work, stop=stop, checkpoint_seconds=checkpoint_seconds)
                    write_json(work / f"{run.name}.json", {**trained, "source": source})
                    (work / f"{run.name}.epochs").unlink(missing_ok=True)
                    print_line(_describe(run, trained))
        except Timeout:
            continue  # another process is at it


def read_run(path: Path, run: PlannedRun, data_hash: str) -> dict[str, Any]:
    """A finished run's file.

    Raises:
        UserError: it is damaged, or of another plan or data.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        facts = (content["schema_version"], content["config_hash"], content["data_hash"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"cannot read {path}: {error}; delete it, and the run is made again") from None
    if facts != (SCHEMA_VERSION, run.config.hash(), data_hash):
        raise UserError(f"{path} is a run of another plan, data or version; choose another --work")
    return content


def _train(
    run: PlannedRun, dataset: Dataset, work: Path, *, stop: StopRequest, checkpoint_seconds: float
) -> dict[str, Any]:
    """The curve of one run, whole or up to where it diverged."""
    training: list[TrainingRun] = []  # the last one built holds the epochs, also those of a checkpoint
    costs = work / f"{run.name}.epochs"  # processor seconds, a line an epoch; a repeated epoch's last line counts
    used = time.process_time()

    def build() -> TrainingRun:
        training.append(TrainingRun(run.config, dataset, seed=run.seed))
        return training[-1]

    def on_epoch(_: TrainingRun, report: EpochReport) -> None:
        nonlocal used
        before, used = used, time.process_time()
        with costs.open("a", encoding="utf-8") as file:
            file.write(f"\n{report.epoch} {used - before:.6f}")  # the line end first: a kill may cut a line short

    checkpoint = work / f"{run.name}.safetensors"
    try:
        train_to_end(build, checkpoint=checkpoint, stop=stop, on_epoch=on_epoch, checkpoint_seconds=checkpoint_seconds)
        end = "stopped" if len(training[-1].reports) < run.config.epochs else "capped"
    except (DivergedError, NonFiniteScoresError):
        checkpoint.unlink(missing_ok=True)
        end = "diverged"
    processor = _processor_seconds(costs)
    return {
        "schema_version": SCHEMA_VERSION,
        "configuration": run.configuration,
        "seed": run.seed,
        "config_hash": run.config.hash(),
        "data_hash": dataset.data_hash,
        "end": end,
        "epochs": [
            {
                "epoch": each.epoch,
                "validation": dict(each.validation),
                "losses": dict(each.losses),
                "seconds": each.seconds,
                "cpu_seconds": processor.get(each.epoch, 0.0),
            }
            for each in training[-1].reports
        ],
    }


def _processor_seconds(costs: Path) -> dict[int, float]:
    lines = costs.read_text(encoding="utf-8").splitlines() if costs.exists() else []
    return {int(epoch): float(seconds) for epoch, _, seconds in (line.partition(" ") for line in lines) if seconds}


def _describe(run: PlannedRun, trained: dict[str, Any]) -> str:
    epochs, metric = trained["epochs"], run.config.valid_metric
    line = f"configuration {run.configuration}, seed {run.seed}: {trained['end']} after {len(epochs)} epochs"
    if not epochs:
        return line
    best = max(epochs, key=lambda each: each["validation"][metric])
    seconds = sum(each["cpu_seconds"] for each in epochs)
    value = best["validation"][metric]
    return f"{line}, best {metric} {value:.4f} at epoch {best['epoch']}, {seconds:.0f} CPU s (process {os.getpid()})"

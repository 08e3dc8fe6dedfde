"""Copies of one configuration on many seeds, with every user's metrics: the records of an A/A test.

Copies differ by chance alone, so whatever a comparison finds between them is false. A first series differs in its whole
seed; a second one keeps the initial weights and the batches, and draws other negatives only.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from filelock import FileLock, Timeout

from benchmarks.workers import read_table
from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.evaluation.user_metrics import UserMetrics
from sea_core.files import write_atomically, write_json
from sea_core.holdout import open_test
from sea_core.interrupts import StopRequest
from sea_core.provenance import machine, versions
from sea_core.receipts import read_receipts
from sea_core.streams import fresh_seeds
from sea_core.training.loop import train_to_end
from sea_core.training.run import TrainingRun
from study.records.provenance import source_version

SCHEMA_VERSION = 1
METRICS = ("recall@20", "ndcg@20")
STUDY_SEED = 999
CHECKPOINT_SECONDS = 120.0
MOST_EPOCHS = 300

Series = Literal["seeds", "negatives"]


class SeedRun(NamedTuple):
    """One copy: its place in the series, and the seeds of its draws."""

    series: Series
    copy: int
    seed: int
    negatives_seed: int | None

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.series}-{self.copy:03d}"


def base_config(most_epochs: int = MOST_EPOCHS) -> Config:
    """The base configuration with a learning rate at which it converges."""
    return Config(learning_rate=1e-3, epochs=most_epochs)


def plan(copies: int, *, negatives: int = 0) -> list[SeedRun]:
    """The copies in the order in which they are made: whole seeds first, then those that redraw negatives.

    Raises:
        UserError: fewer than 2 copies of whole seeds, or a negative number.
    """
    if copies < 2 or negatives < 0:
        raise UserError(f"--seeds must be at least 2 and --negatives at least 0, got {copies} and {negatives}")
    whole = [SeedRun("seeds", copy, seed, None) for copy, seed in enumerate(fresh_seeds(STUDY_SEED, copies))]
    other = fresh_seeds(STUDY_SEED + 1, negatives)
    return whole + [SeedRun("negatives", copy, whole[0].seed, seed) for copy, seed in enumerate(other)]


def train_copies(
    runs: Sequence[SeedRun],
    dataset: Dataset,
    work: Path,
    *,
    config: Config,
    stop: StopRequest,
    print_line: Callable[[str], None],
) -> None:
    """Train and test, in order, the copies that have no file yet and that no other process has taken.

    The test split is opened once a copy, by the one function that leaves a receipt.

    Raises:
        Stopped: ``stop`` was asked for, and the run has its checkpoint.
        DivergedError: a copy diverged, which the base configuration does not do.
    """
    torch.set_num_threads(1)
    for run in runs:
        try:
            with FileLock(work / f"{run.name}.lock", timeout=0):
                if not (work / f"{run.name}.parquet").exists():
                    _train(run, dataset, work, config, stop, print_line)
        except Timeout:
            continue  # another process is at it


def read_seeds(path: Path) -> pd.DataFrame:
    """The table: ``series, copy, seed, split, user, relevant`` and the metrics, one row per copy, split and user.

    ``relevant`` counts the user's items in the split, so ``recall * relevant`` is a number of hits.

    Raises:
        UserError: no such file, a damaged one or one of a newer schema.
    """
    return read_table(path, schema=SCHEMA_VERSION, made_by="benchmarks/make_seeds.py")


def collect(out: Path, work: Path, runs: Sequence[SeedRun], dataset: Dataset, config: Config) -> int:
    """Write the table, its provenance and the receipts from the work folder; how many copies the table holds.

    Raises:
        UserError: a file is damaged, or of another configuration or data.
    """
    frames, receipts, sources = [], [], []
    for run in runs:
        path = work / f"{run.name}.parquet"
        if not path.exists():
            continue
        content = json.loads((work / f"{run.name}.json").read_text(encoding="utf-8"))
        facts = (content["schema_version"], content["config_hash"], content["data_hash"])
        if facts != (SCHEMA_VERSION, config.hash(), dataset.data_hash):
            raise UserError(f"{path} is of another configuration, data or version; choose another --work")
        frames.append(read_seeds(path))
        receipts += read_receipts(work / f"{run.name}.receipt.json")
        sources.append(
            {"copy": run.name, **content["source"], "epochs": content["epochs"], "seconds": content["seconds"]}
        )
    if not frames:
        return 0
    frame = pd.concat(frames, ignore_index=True)
    # A copy that hits nothing of a user cannot tell how much there was; another one can.
    frame["relevant"] = frame.groupby(["split", "user"])["relevant"].transform("max")
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, _parquet(frame))
    write_json(
        out.with_suffix(".json"),
        {
            "schema_version": SCHEMA_VERSION,
            "dataset": dataset.name,
            "data_hash": dataset.data_hash,
            "split_hash": dataset.split_hash,
            "config": config.as_dict(),
            "config_hash": config.hash(),
            "copies": len(frames),
            "runs": sources,
        },
    )
    write_atomically(out.with_name(f"{out.stem}.receipts.json"), (json.dumps(receipts, indent=1) + "\n").encode())
    return len(frames)


def _train(
    run: SeedRun, dataset: Dataset, work: Path, config: Config, stop: StopRequest, print_line: Callable[[str], None]
) -> None:
    training = train_to_end(
        lambda: TrainingRun(config, dataset, seed=run.seed, negatives_seed=run.negatives_seed),
        checkpoint=work / f"{run.name}.safetensors",
        stop=stop,
        checkpoint_seconds=CHECKPOINT_SECONDS,
    )
    best = training.best
    receipt = work / f"{run.name}.receipt.json"
    test = open_test(dataset, training.scorer(), subject=config.as_dict(), seed=run.seed, receipt=receipt)
    valid = dataset.valid
    counts = np.bincount(valid.user, minlength=dataset.users)
    frames = [_rows(run, "valid", best.validation, counts), _rows(run, "test", test, None)]
    write_json(
        work / f"{run.name}.json",
        {
            "schema_version": SCHEMA_VERSION,
            "config_hash": config.hash(),
            "data_hash": dataset.data_hash,
            "seed": run.seed,
            "negatives_seed": run.negatives_seed,
            "epochs": len(training.reports),
            "best_epoch": best.epoch,
            "seconds": sum(report.seconds for report in training.reports),
            "source": {**source_version(), "versions": versions(), "machine": machine(), "threads": 1},
        },
    )
    write_atomically(work / f"{run.name}.parquet", _parquet(pd.concat(frames, ignore_index=True)))
    means: dict[str, Any] = test.means()
    print_line(f"{run.name}: {len(training.reports)} epochs, test {METRICS[0]} {means[METRICS[0]]:.4f}")


def _rows(run: SeedRun, split: str, metrics: UserMetrics, counts: np.ndarray | None) -> pd.DataFrame:
    """One row a user. Where the counts of a split are sealed, they follow from recall and precision."""
    values = {name: np.asarray(metrics.values[name], dtype=np.float32) for name in METRICS}
    if counts is None:
        hits = np.rint(np.asarray(metrics.values["precision@20"]) * 20)
        recall = np.asarray(metrics.values["recall@20"])
        relevant = np.where(recall > 0, np.rint(hits / np.where(recall > 0, recall, 1)), 0)
    else:
        relevant = counts[metrics.users]
    return pd.DataFrame(
        {
            "series": run.series,
            "copy": np.int32(run.copy),
            "seed": np.int64(run.seed),
            "split": split,
            "user": np.asarray(metrics.users, dtype=np.int32),
            "relevant": relevant.astype(np.int32),
            **values,
        }
    )


def _parquet(frame: pd.DataFrame) -> bytes:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), b"schema_version": str(SCHEMA_VERSION).encode()}
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), buffer, compression="zstd", compression_level=12)
    return buffer.getvalue()

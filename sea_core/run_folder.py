"""What a training run leaves on disk, written and read: one layout for single runs, trials, final runs and arms."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from safetensors.torch import load_file, save

from sea_core.config import Config
from sea_core.errors import UserError
from sea_core.evaluation.user_metrics import UserMetrics
from sea_core.files import write_atomically, write_json
from sea_core.provenance import machine, versions

if TYPE_CHECKING:
    from sea_core.training.run import TrainingRun  # readers of records, figures among them, never load what trains

SCHEMA_VERSION = 1
RECORD, HISTORY, VALIDATION, TEST = "record.json", "history.csv", "validation.parquet", "test.parquet"
EMBEDDINGS, RECEIPT = "embeddings.safetensors", "receipt.json"


@dataclass(frozen=True)
class RunFolder:
    """A finished run as it lies on disk; large parts are read when asked for."""

    folder: Path
    record: Mapping[str, Any]

    @property
    def config(self) -> Config:
        """The run's config."""
        return Config.from_mapping(self.record["config"], source=str(self.folder / RECORD))

    def history(self) -> pd.DataFrame:
        """One row per epoch: losses, validation metrics, seconds."""
        return pd.read_csv(self.folder / HISTORY)

    def validation(self) -> UserMetrics:
        """Per-user validation metrics at the best epoch."""
        return UserMetrics.from_frame(pd.read_parquet(self.folder / VALIDATION))

    def test(self) -> UserMetrics | None:
        """Per-user test metrics, or None where the test split was never opened."""
        path = self.folder / TEST
        return UserMetrics.from_frame(pd.read_parquet(path)) if path.exists() else None

    def embeddings(self) -> dict[str, torch.Tensor] | None:
        """``user`` ``(U, D)`` and ``item`` ``(I, D)`` at the best epoch, or None if they were not kept."""
        path = self.folder / EMBEDDINGS
        return load_file(path) if path.exists() else None


def write_run_folder(
    folder: Path, run: TrainingRun, *, extra: Mapping[str, Any] | None = None, keep_embeddings: bool = False
) -> dict[str, Any]:
    """Write a run's record, history and per-user validation metrics; ``record.json`` last: it marks a whole folder.

    Args:
        folder: created if missing; files of the same names are replaced.
        run: a run with at least one epoch.
        extra: the writer's own keys of ``record.json`` (``trial``, ``arm``, ...).
        keep_embeddings: also write the best epoch's embeddings.

    Returns:
        The record as written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    best = run.best
    rows = [
        {"epoch": report.epoch, **report.losses, **report.validation, "seconds": report.seconds}
        for report in run.reports
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(folder / HISTORY, text.getvalue().encode())
    write_user_metrics(folder / VALIDATION, best.validation)
    if keep_embeddings:
        tensors = {"user": best.user_embedding.contiguous(), "item": best.item_embedding.contiguous()}
        write_atomically(folder / EMBEDDINGS, bytes(save(tensors)))
    record = {
        "schema_version": SCHEMA_VERSION,
        "config": run.config.as_dict(),
        "config_hash": run.config.hash(),
        "seed": run.seed,
        "dataset": run.dataset.name,
        "data_hash": run.dataset.data_hash,
        "split_hash": run.dataset.split_hash,
        "best_epoch": best.epoch,
        "epochs": len(run.reports),
        "seconds": sum(report.seconds for report in run.reports),
        "validation": best.validation.means(),
        "init_hashes": run.init_hashes,
        "draw_hashes": run.draw_hashes(),
        "weights_hash": run.weights_hash(),
        "threads": torch.get_num_threads(),
        "device": run.device,
        "versions": versions(),
        "machine": machine(),
        **(extra or {}),
    }
    write_json(folder / RECORD, record)
    return record


def read_run_folder(folder: Path) -> RunFolder:
    """Open a run folder.

    Raises:
        UserError: no record, an unreadable one, or one of a newer schema.
    """
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        schema = record["schema_version"]
    except FileNotFoundError:
        raise UserError(f"no {RECORD} in {folder}; expected a run folder (results/README.md)") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"cannot read {path}: {error}; the run must be repeated") from error
    if not isinstance(schema, int) or schema > SCHEMA_VERSION:
        raise UserError(
            f"{path} has schema_version {schema}, this version reads up to {SCHEMA_VERSION}; update SEA Study"
        )
    return RunFolder(folder, record)


def write_user_metrics(path: Path, metrics: UserMetrics) -> None:
    """Write per-user metrics as Parquet, atomically."""
    buffer = io.BytesIO()
    metrics.to_frame().to_parquet(buffer, index=False)
    write_atomically(path, buffer.getvalue())

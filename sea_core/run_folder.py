"""What a training run leaves on disk, written and read: one layout for single runs, trials, final runs and arms."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd
import torch
from safetensors.torch import load_file, save

from sea_core.config import Config
from sea_core.errors import UserError
from sea_core.evaluation.user_metrics import UserMetrics
from sea_core.files import json_bytes, write_atomically
from sea_core.plugins import training_plugins
from sea_core.provenance import machine, versions

if TYPE_CHECKING:
    from sea_core.training.run import TrainingRun  # readers of records, figures among them, never load what trains

T = TypeVar("T")

RunFiles = Mapping[str, bytes]  # file name -> content of a run folder

SCHEMA_VERSION = 1
RECORD, HISTORY, VALIDATION, TEST = "record.json", "history.csv", "validation.parquet", "test.parquet"
EMBEDDINGS, RECEIPT = "embeddings.safetensors", "receipt.json"
PARTS, DIAGNOSTICS = "parts.safetensors", "diagnostics.json"


@dataclass(frozen=True)
class RunFolder:
    """A finished run as it lies on disk; large parts are read when asked for."""

    folder: Path
    record: Mapping[str, Any] = field(repr=False)

    @property
    def config(self) -> Config:
        """The run's config."""
        return Config.from_record(self.record.get("config") or {}, source=str(self.folder / RECORD))

    def read_history(self) -> pd.DataFrame:
        """One row per epoch: losses, validation metrics, seconds.

        Raises:
            UserError: the file is missing or damaged, or lacks epochs that the record counts.
        """
        table = self._read(HISTORY, pd.read_csv)
        epochs = self.record.get("epochs", len(table))
        if not (self.folder / HISTORY).read_bytes().endswith(b"\n"):
            raise self._damaged(HISTORY, "its last line is cut short")
        if "epoch" not in table or len(table) != epochs:
            raise self._damaged(HISTORY, f"expected {epochs} epochs, found {len(table)} rows")
        return table

    def read_validation(self) -> UserMetrics:
        """Per-user validation metrics at the best epoch.

        Raises:
            UserError: the file is missing or damaged.
        """
        return self._read(VALIDATION, _read_user_metrics)

    def read_test(self) -> UserMetrics | None:
        """Per-user test metrics, or None where the test split was never opened.

        Raises:
            UserError: the file is damaged.
        """
        return self._read(TEST, _read_user_metrics) if (self.folder / TEST).exists() else None

    def read_embeddings(self) -> dict[str, torch.Tensor] | None:
        """``user`` ``(U, D)`` and ``item`` ``(I, D)`` at the best epoch, or None if they were not kept.

        Raises:
            UserError: the file is damaged.
        """
        return self._read(EMBEDDINGS, load_file) if (self.folder / EMBEDDINGS).exists() else None

    def read_parts(self) -> dict[str, torch.Tensor] | None:
        """``generic/<modality>``, ``unique/<modality>`` and what heads read of them (results/README.md), or None.

        Raises:
            UserError: the file is damaged.
        """
        return self._read(PARTS, load_file) if (self.folder / PARTS).exists() else None

    def read_diagnostics(self) -> dict[str, Any] | None:
        """What separation did to the parts (results/README.md), or None: trials and older runs have none.

        Raises:
            UserError: the file is damaged or of a newer schema.
        """
        return self._read(DIAGNOSTICS, _read_diagnostics) if (self.folder / DIAGNOSTICS).exists() else None

    def differences(self, config: Config, *, seed: int, data_hash: str) -> list[str]:
        """What makes this another run than the one described, ``knn_k: 5 there, 10 now``; empty if nothing does.

        Configs are compared, not their hashes: a field that this version has and the record does not had its default.
        """
        try:
            theirs = self.config.as_dict()
        except UserError as error:
            return [str(error)]
        there = {**theirs, **{key: self.record.get(key) for key in ("seed", "data_hash", "plugins")}}
        now = {**config.as_dict(), "seed": seed, "data_hash": data_hash, "plugins": training_plugins() or None}
        # Another model reads other keys; that one says the rest.
        return [
            f"{name}: {there.get(name)} there, {value} now" for name, value in now.items() if there.get(name) != value
        ]

    def _read(self, name: str, reader: Callable[[Path], T]) -> T:
        try:
            return reader(self.folder / name)
        except Exception as error:  # each format has its own errors, and a damaged file meets all of them
            raise self._damaged(name, " ".join(str(error).split())[:200]) from None

    def _damaged(self, name: str, what: str) -> UserError:
        return UserError(
            f"cannot read {self.folder / name}: {what}; delete {self.folder / RECORD} and repeat the command that "
            "wrote it: the run is made again"
        )


def run_files(
    run: TrainingRun, *, extra: Mapping[str, Any] | None = None, keep_embeddings: bool = False
) -> dict[str, bytes]:
    """A run's folder as file name -> content, without touching a disk; arguments as in ``write_run_folder``."""
    best = run.best
    rows = [
        {"epoch": report.epoch, **report.losses, **report.validation, "seconds": report.seconds}
        for report in run.reports
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    files = {HISTORY: text.getvalue().encode(), VALIDATION: _user_metrics_bytes(best.validation)}
    if keep_embeddings and best.user_embedding is not None and best.item_embedding is not None:
        tensors = {"user": best.user_embedding.contiguous(), "item": best.item_embedding.contiguous()}
        files[EMBEDDINGS] = bytes(save(tensors))
    record = {
        "schema_version": SCHEMA_VERSION,
        "config": run.config.as_dict(),
        "config_hash": run.config.hash(),
        "seed": run.seed,
        "dataset": run.dataset.name,
        "data_hash": run.dataset.data_hash,
        "split_hash": run.dataset.split_hash,
        **run.dataset.split_record,
        "best_epoch": best.epoch,
        "epochs": len(run.reports),
        "seconds": sum(report.seconds for report in run.reports),
        "cpu_seconds": sum(report.cpu_seconds for report in run.reports),
        "validation": best.validation.means(),
        "init_hashes": run.init_hashes,
        "draw_hashes": run.draw_hashes(),
        "weights_hash": run.weights_hash(),
        "threads": torch.get_num_threads(),
        "device": run.device,
        "versions": versions(),
        "machine": machine(),
        **({"plugins": plugins} if (plugins := training_plugins()) else {}),
        **(extra or {}),
    }
    files[RECORD] = json_bytes(record)
    return files


def write_run_folder(
    folder: Path, run: TrainingRun, *, extra: Mapping[str, Any] | None = None, keep_embeddings: bool = False
) -> dict[str, Any]:
    """Write a run's record, history and per-user validation metrics; ``record.json`` last: it marks a whole folder.

    Args:
        folder: created if missing; files of the same names are replaced.
        run: a run with at least one epoch.
        extra: the writer's own keys of ``record.json`` (``trial``, ``arm``, ...).
        keep_embeddings: also write the best epoch's embeddings, where the model has any.

    Returns:
        The record as written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = run_files(run, extra=extra, keep_embeddings=keep_embeddings)
    for name, content in files.items():
        write_atomically(folder / name, content)
    record: dict[str, Any] = json.loads(files[RECORD])
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
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        what = " ".join(str(error).split())
        raise UserError(
            f"cannot read {path}: {what}; repeat the command that wrote it: the run is made again"
        ) from error
    if not isinstance(schema, int) or schema > SCHEMA_VERSION:
        raise UserError(
            f"{path} has schema_version {schema}, this version reads up to {SCHEMA_VERSION}; update SEA Study"
        )
    for key in ("config", "trial"):
        if not isinstance(record.get(key) or {}, dict):
            raise UserError(f"cannot read {path}: {key} must be a map; repeat the command that wrote it")
    if not isinstance((record.get("trial") or {}).get("params", {}), dict):
        raise UserError(f"cannot read {path}: params must be a map; repeat the command that wrote it")
    return RunFolder(folder, record)


def write_user_metrics(path: Path, metrics: UserMetrics) -> None:
    """Write per-user metrics as Parquet, atomically."""
    write_atomically(path, _user_metrics_bytes(metrics))


def _user_metrics_bytes(metrics: UserMetrics) -> bytes:
    buffer = io.BytesIO()
    metrics.to_frame().to_parquet(buffer, index=False)
    return buffer.getvalue()


def _read_diagnostics(path: Path) -> dict[str, Any]:
    diagnostics: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if diagnostics["schema_version"] > SCHEMA_VERSION:
        raise ValueError(f"schema_version {diagnostics['schema_version']}, this version reads up to {SCHEMA_VERSION}")
    if not isinstance(diagnostics["modalities"], dict) or not isinstance(diagnostics["pairs"], list):
        raise ValueError("expected a map 'modalities' and a list 'pairs'")
    return diagnostics


def _read_user_metrics(path: Path) -> UserMetrics:
    return UserMetrics.from_frame(pd.read_parquet(path))

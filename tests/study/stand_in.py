"""A worker that obeys the executor's contract without training: its curves are a formula of the config and the seed."""

import hashlib
import json
import math
from collections.abc import Callable
from typing import Any

from sea_core.data.dataset import Dataset
from sea_core.run_folder import RunFiles
from sea_core.training.run import EpochReport
from study.records.run import Run
from study.running.executors.base import Failure, Paused, Progress
from study.running.worker import classify


class StandInWorker:
    """``misbehave`` may raise for a (run, epoch) that is about to be trained."""

    def __init__(self, dataset: Dataset, misbehave: Callable[[Run, int], None] | None = None) -> None:
        self._dataset, self._misbehave = dataset, misbehave
        self._run: Run | None = None
        self._reports: list[EpochReport] = []
        self.epochs_trained = 0

    def start(self, run: Run, checkpoint: bytes | None) -> Progress:
        self._run = run
        done = 0 if checkpoint is None else json.loads(checkpoint)["epochs"]
        self._reports = []
        for _ in range(done):
            self._reports.append(self._report())
        return Progress(reports=tuple(self._reports), finished=self._finished)

    def advance(self) -> Progress:
        assert self._run is not None
        try:
            if self._misbehave is not None:
                self._misbehave(self._run, len(self._reports))
        except Exception as error:
            return Progress(failure=classify(error))
        self._reports.append(self._report())
        self.epochs_trained += 1
        checkpoint = self._state() if not self._finished and self._run.checkpoint_seconds == 0 else None
        return Progress(reports=(self._reports[-1],), finished=self._finished, checkpoint=checkpoint)

    def collect(self) -> RunFiles | Failure:
        assert self._run is not None
        best = max(report.epoch for report in self._reports if report.improved)
        rows = ["epoch,recall@20", *(f"{r.epoch},{r.validation['recall@20']!r}" for r in self._reports)]
        record: dict[str, Any] = {
            "schema_version": 1,
            "config": self._run.config.as_dict(),
            "config_hash": self._run.config.hash(),
            "seed": self._run.seed,
            "dataset": self._dataset.name,
            "data_hash": self._dataset.data_hash,
            "split_hash": self._dataset.split_hash,
            "best_epoch": best,
            "epochs": len(self._reports),
            "seconds": 0.0,
            "validation": dict(self._reports[best].validation),
        }
        self.discard()
        return {"record.json": json.dumps(record).encode(), "history.csv": "\n".join(rows).encode() + b"\n"}

    def pause(self) -> Paused | Failure:
        state, files = self._state(), self.collect()
        return files if isinstance(files, Failure) else Paused(files, state)

    def park(self) -> bytes | None:
        state = self._state()
        self.discard()
        return state

    def discard(self) -> None:
        self._run, self._reports = None, []

    @property
    def _finished(self) -> bool:
        assert self._run is not None
        return len(self._reports) >= self._run.config.epochs

    def _state(self) -> bytes:
        return json.dumps({"epochs": len(self._reports)}).encode()

    def _report(self) -> EpochReport:
        assert self._run is not None
        epoch, config = len(self._reports), self._run.config
        quality = 0.3 - 0.05 * abs(math.log10(config.temperature / 0.2)) - 0.05 * abs(config.split_ratio - 0.4)
        searched = (config.temperature, config.split_ratio, config.knn_k, config.gnn_layers)
        digest = hashlib.sha256(f"{searched}/{self._run.seed}/{epoch}".encode()).digest()
        noise = int.from_bytes(digest[:4], "big") / 2**32
        value = quality * (1 - math.exp(-(epoch + 1) / 3)) + 0.01 * noise
        best = max((report.validation["recall@20"] for report in self._reports), default=-math.inf)
        return EpochReport(epoch, {"total": 1.0}, {"recall@20": value}, value > best, 0.0)

"""Fixed (config, seed) runs as a source for the driver: finalists on validation, the winner also on the test split."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors.torch import load

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.holdout import open_test
from sea_core.models.scoring import recorded_scorer
from sea_core.run_folder import (
    DIAGNOSTICS,
    EMBEDDINGS,
    PARTS,
    RECEIPT,
    RECORD,
    TEST,
    RunFiles,
    read_run_folder,
    write_user_metrics,
)
from sea_core.training.run import EpochReport
from study.running.driver import Run, clear_leftovers, write_failed_run, write_run_files
from study.running.events import Emit, RunEnded
from study.running.executors.base import Failure, Task


@dataclass(frozen=True)
class FinalRun:
    """A run that must exist in the end.

    Attributes:
        opens_test: evaluate it on the test split too, once, and keep its embeddings.
        extra: own keys of its ``record.json``.
    """

    folder: Path
    config: Config
    seed: int
    label: str
    opens_test: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    def is_done(self, dataset: Dataset) -> bool:
        """Whether its record is there, whole and of these data. A failure by accident is tried again."""
        try:
            found = read_run_folder(self.folder)
        except UserError:
            return False
        same = not found.differences(self.config, seed=self.seed, data_hash=dataset.for_seed(self.seed).data_hash)
        failure = (found.record.get("trial") or {}).get("failure")
        if failure is not None:
            return same and failure["kind"] == "diverged"
        return same and (not self.opens_test or (self.folder / TEST).exists())


class FinalRuns:
    """See the module. A ``RunSource``."""

    def __init__(self, runs: Sequence[FinalRun], *, dataset: Dataset, emit: Emit) -> None:
        """Take those of the runs that are not done."""
        self._dataset, self._emit = dataset, emit
        self._queue = [run for run in runs if not run.is_done(dataset)]
        for run in runs:
            if run not in self._queue:
                clear_leftovers(run.folder)
        self._going_on: dict[str, FinalRun] = {}

    def next(self) -> Run | None:
        """See ``RunSource``."""
        if not self._queue:
            return None
        wanted = self._queue.pop(0)
        # What an earlier run left here under another config must not look like this one's.
        for name in (RECORD, TEST, PARTS, DIAGNOSTICS):
            (wanted.folder / name).unlink(missing_ok=True)
        task = Task(wanted.config, wanted.seed, keep_embeddings=wanted.opens_test, keep_parts=True)
        run = Run(wanted.folder, task, wanted.label)
        self._going_on[run.key] = wanted
        return run

    def report(self, run: Run, report: EpochReport) -> bool:
        """See ``RunSource``: fixed runs are never pruned."""
        return True

    def finish(self, run: Run, files: RunFiles, *, pruned: bool, attempts: int) -> None:
        """See ``RunSource``. The record comes last: a folder without one is a run that has to be repeated."""
        wanted = self._going_on.pop(run.key)
        means: dict[str, float] = json.loads(files[RECORD])["validation"]
        tested: dict[str, float] = {}
        if wanted.opens_test:
            dataset = self._dataset.for_seed(wanted.seed)
            embeddings = load(files[EMBEDDINGS]) if EMBEDDINGS in files else None
            test = open_test(
                dataset,
                recorded_scorer(wanted.config, dataset, embeddings),
                subject=wanted.config.as_dict(),
                seed=wanted.seed,
                receipt=run.folder / RECEIPT,
                ks=wanted.config.ks,
            )
            write_user_metrics(run.folder / TEST, test)
            tested = test.means()
        write_run_files(run.folder, files, wanted.extra)
        self._emit(RunEnded(run.key, run.label, wanted.config.valid_metric, means, tested))

    def fail(self, run: Run, failure: Failure, *, attempts: int) -> None:
        """See ``RunSource``."""
        wanted = self._going_on.pop(run.key)
        write_failed_run(run, self._dataset.for_seed(wanted.seed), failure, wanted.extra)
        metric = wanted.config.valid_metric
        self._emit(RunEnded(run.key, run.label, metric, {}, {}, failure=failure.message))

"""Fixed (config, seed) runs as a source for the driver: finalists on validation, the winner also on the test split."""

from __future__ import annotations

import json
from collections.abc import Sequence

from safetensors.torch import load

from sea_core.data.dataset import Dataset
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
    write_user_metrics,
)
from sea_core.training.run import EpochReport
from study.records.run import Run
from study.running.driver import Then, clear_leftovers, write_failed_run, write_run_files
from study.running.events import Emit, RunEnded
from study.running.executors.base import Failure


class FixedRuns:
    """See the module. A ``RunSource``."""

    def __init__(self, runs: Sequence[Run], *, dataset: Dataset, emit: Emit) -> None:
        """Take those of the runs that are not done."""
        self._dataset, self._emit = dataset, emit
        self._queue = [run for run in runs if not run.is_done(dataset)]
        for run in runs:
            if run not in self._queue:
                clear_leftovers(run.folder)

    def next(self) -> Run | None:
        """See ``RunSource``."""
        if not self._queue:
            return None
        wanted = self._queue.pop(0)
        # What an earlier run left here under another config must not look like this one's.
        for name in (RECORD, TEST, PARTS, DIAGNOSTICS):
            (wanted.folder / name).unlink(missing_ok=True)
        return wanted

    def report(self, run: Run, report: EpochReport) -> Then:
        """See ``RunSource``: fixed runs go to their end."""
        return Then.GO_ON

    def pause(self, run: Run, files: RunFiles, *, attempts: int) -> None:
        """See ``RunSource``; ``report`` asks for none."""
        raise AssertionError("a fixed run was paused")

    def finish(self, run: Run, files: RunFiles, *, pruned: bool, attempts: int) -> None:
        """See ``RunSource``. The record comes last: a folder without one is a run that has to be repeated."""
        means: dict[str, float] = json.loads(files[RECORD])["validation"]
        tested: dict[str, float] = {}
        if run.opens_test:
            dataset = self._dataset.for_seed(run.seed)
            embeddings = load(files[EMBEDDINGS]) if EMBEDDINGS in files else None
            test = open_test(
                dataset,
                recorded_scorer(run.config, dataset, embeddings),
                subject=run.config.as_dict(),
                seed=run.seed,
                receipt=run.folder / RECEIPT,
                ks=run.config.ks,
            )
            write_user_metrics(run.folder / TEST, test)
            tested = test.means()
        write_run_files(run.folder, files, run.extra)
        self._emit(RunEnded(run.key, run.label, run.config.valid_metric, means, tested))

    def fail(self, run: Run, failure: Failure, *, attempts: int) -> None:
        """See ``RunSource``."""
        write_failed_run(run, self._dataset.for_seed(run.seed), failure, run.extra)
        metric = run.config.valid_metric
        self._emit(RunEnded(run.key, run.label, metric, {}, {}, failure=failure.message))

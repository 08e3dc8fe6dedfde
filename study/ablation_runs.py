"""The runs of an ablation, as a source for the driver: what is missing is trained, tested and recorded."""

from __future__ import annotations

import shutil
from typing import Any

from safetensors.torch import load

from sea_core.evaluation.full_ranking import embedding_scorer
from sea_core.files import write_json
from sea_core.run_folder import (
    EMBEDDINGS,
    HISTORY,
    RECEIPT,
    RECORD,
    SCHEMA_VERSION,
    TEST,
    VALIDATION,
    read_run_folder,
    write_user_metrics,
)
from sea_core.test_split import open_test
from sea_core.training.run import EpochReport
from study.ablation_plan import Plan, PlannedRun
from study.driver import Run, write_run_files
from study.executors.base import Failure, RunFiles, Task
from study.progress import Display


class AblationRuns:
    """See the module. A ``RunSource``; a run that fails is recorded as failed, and the others go on."""

    def __init__(self, plan: Plan, *, display: Display) -> None:
        """Take the runs of a plan that are not done, those that need no training first."""
        self._display = display
        todo = [run for run in plan.runs if not run.done]
        self._queue = sorted(todo, key=lambda run: run.copy_of is None)
        self._going_on: dict[str, PlannedRun] = {}

    def next(self) -> Run | None:
        """See ``RunSource``."""
        while self._queue:
            planned = self._queue.pop(0)
            if planned.copy_of is None:
                task = Task(planned.config, planned.seed, keep_embeddings=True)
                run = Run(planned.folder, task, f"{planned.arm.name}, seed {planned.seed}")
                self._going_on[run.key] = planned
                return run
            _copy(planned)
            self._display.result(f"{planned.arm.name}, seed {planned.seed}: the winner's run, taken over")
        return None

    def report(self, run: Run, report: EpochReport) -> bool:
        """See ``RunSource``."""
        return True

    def finish(self, run: Run, files: RunFiles, *, pruned: bool, attempts: int) -> None:
        """See ``RunSource``. The record comes last: a folder without one is a run that has to be repeated."""
        planned = self._going_on.pop(run.key)
        embeddings = load(files[EMBEDDINGS])
        test = open_test(
            planned.dataset,
            embedding_scorer(embeddings["user"], embeddings["item"]),
            subject=planned.config.as_dict(),
            seed=planned.seed,
            receipt=run.folder / RECEIPT,
        )
        write_user_metrics(run.folder / TEST, test)
        kept = {name: content for name, content in files.items() if name != EMBEDDINGS}
        write_run_files(run.folder, kept, _own_keys(planned))
        self._display.result(f"{run.label}: test recall@20 {test.means()['recall@20']:.4f}")

    def fail(self, run: Run, failure: Failure, *, attempts: int) -> None:
        """See ``RunSource``."""
        planned = self._going_on.pop(run.key)
        record = {
            "schema_version": SCHEMA_VERSION,
            "config": planned.config.as_dict(),
            "config_hash": planned.config.hash(),
            "seed": planned.seed,
            "dataset": planned.dataset.name,
            "data_hash": planned.dataset.data_hash,
            "split_hash": planned.dataset.split_hash,
            **_own_keys(planned),
            "trial": {"state": "failed", "failure": {"kind": failure.kind, "message": failure.message}},
        }
        write_json(run.folder / RECORD, record)
        self._display.result(f"{run.label} failed: {failure.message}")


def _copy(planned: PlannedRun) -> None:
    """Take over a run of equal config, seed and data; training it again would give the same bits."""
    source = planned.copy_of
    assert source is not None
    planned.folder.mkdir(parents=True, exist_ok=True)
    for name in (HISTORY, VALIDATION, TEST, RECEIPT):
        shutil.copyfile(source / name, planned.folder / name)
    record = {key: value for key, value in read_run_folder(source).record.items() if key != "trial"}
    write_json(planned.folder / RECORD, {**record, **_own_keys(planned), "copied_from": f"final/winner/{source.name}"})


def _own_keys(planned: PlannedRun) -> dict[str, Any]:
    return {"arm": planned.arm.name, "arm_title": planned.arm.title, "mode": planned.mode}

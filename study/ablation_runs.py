"""Running the plan of an ablation: what the winner trained already is taken over, the rest is trained and tested."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

from sea_core.files import write_json
from sea_core.run_folder import EMBEDDINGS, HISTORY, RECEIPT, RECORD, TEST, VALIDATION, read_run_folder
from study.ablation_plan import Plan
from study.driver import RunSource
from study.final_runs import FinalRun, FinalRuns
from study.progress import Display


def run_ablation(plan: Plan, *, train: Callable[[RunSource], None], display: Display) -> None:
    """Train and test every run of a plan that is not done; interrupted, a new plan goes on where it stopped.

    A run that fails is recorded as failed, and the others go on.

    Args:
        plan: from ``plan_ablation``.
        train: drives a source of runs to its end.
        display: told of results.
    """
    done = sum(planned.done for planned in plan.runs)
    display.stage(f"ablation on {plan.runs[0].dataset.name}", total=len(plan.runs), done=done)
    for planned in plan.runs:
        if planned.copy_of is not None:
            _take_over(planned.copy_of, planned.run)
            display.result(f"{planned.run.label}: the winner's run, taken over")
    # Arms that keep other modalities have other data to be tested on.
    for _, group in itertools.groupby(plan.missing, key=lambda planned: planned.dataset.data_hash):
        runs = list(group)
        train(FinalRuns([planned.run for planned in runs], dataset=runs[0].dataset, display=display))


def _take_over(source: Path, run: FinalRun) -> None:
    """Copy a run of equal config, seed and data; training it again would give the same bits."""
    run.folder.mkdir(parents=True, exist_ok=True)
    for name in (HISTORY, VALIDATION, EMBEDDINGS, TEST, RECEIPT):
        if (source / name).exists():
            shutil.copyfile(source / name, run.folder / name)
    record = {key: value for key, value in read_run_folder(source).record.items() if key != "trial"}
    write_json(run.folder / RECORD, {**record, **run.extra, "copied_from": f"final/winner/{source.name}"})

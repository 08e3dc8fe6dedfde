"""Running the plan of an ablation: what a search's winner trained is taken over, the rest is trained and tested."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sea_core.files import write_json
from sea_core.interrupts import StopRequest
from sea_core.run_folder import (
    DIAGNOSTICS,
    EMBEDDINGS,
    HISTORY,
    PARTS,
    RECEIPT,
    RECORD,
    TEST,
    VALIDATION,
    read_run_folder,
)
from study.ablation.looks import Looking, run_looks
from study.ablation.plan import Plan, plan_runs
from study.ablation.retune import run_retuning
from study.ablation.setup import Ablation
from study.records.folder import StudyFolder
from study.records.provenance import write_provenance
from study.records.question import Question, fix_question
from study.records.run import Run
from study.running.driver import RunSource, drive
from study.running.events import Emit, RunEnded, StageBegun
from study.running.executors.make import make_executor
from study.running.fixed_runs import FixedRuns
from study.running.held_study import held_study
from study.running.resources import Resources


def run_all(
    ablation: Ablation,
    resources: Resources,
    *,
    emit: Emit,
    stop: StopRequest,
    conclude: Callable[[], None] = lambda: None,
) -> None:
    """Train and test whatever an ablation lacks; the same call goes on where it was stopped.

    Args:
        ablation: planned.
        resources: to train with.
        emit: told of everything.
        stop: asked for between epochs.
        conclude: called when all runs are done, before listeners hear that the study has ended.

    Raises:
        UserError: the folder cannot be written, or another process drives this study. What was finished before a disk
            became full is kept.
        Stopped: the user asked to stop.
    """
    folder, dataset = ablation.folder, ablation.dataset
    config = {} if ablation.frozen is None else ablation.frozen.runs[0].run.config.as_dict()
    with held_study(folder, dataset.name, config, emit=emit):
        write_provenance(folder, dataset)
        with contextlib.closing(make_executor(dataset, resources, emit=emit)) as executor:
            train = partial(drive, executor=executor, emit=emit, stop=stop)
            fix_the_question(folder, ablation.question, asked=ablation.asked)
            if ablation.frozen is not None:
                run = partial(run_ablation, train=train, emit=emit)
                if len(ablation.question.looks) == 1:
                    run(ablation.frozen)
                else:
                    left_out = {arm.name for arm, _ in ablation.skipped}
                    arms = [arm for arm in ablation.arms if arm.name not in left_out]
                    run_looks(Looking(folder, ablation.question, arms, ablation.plan_frozen, run), emit=emit)
            if ablation.placebos.runs:
                run_ablation(ablation.placebos, train=train, emit=emit)
            if ablation.study is not None and ablation.retuned:
                tuned = run_retuning(ablation.study, ablation.retuned, resources, emit=emit, stop=stop)
                for number, chosen in tuned:
                    runs = plan_runs(
                        chosen, dataset, seeds=ablation.seeds, folder=folder, mode="retuned", search=number
                    )
                    run_ablation(Plan(runs, []), train=train, emit=emit)
        conclude()


def fix_the_question(folder: StudyFolder, question: Question, *, asked: bool) -> None:
    """Write down what is asked before the first arm runs, or that it was changed afterwards.

    Records that lie there already were made without a question; the defaults are then not called fixed.

    Args:
        folder: of the study.
        question: what its arms are asked.
        asked: by the user; else these are the defaults.
    """
    begun = any(folder.root.glob(f"ablations/*/*/seed-*/{RECORD}"))
    if folder.question.exists() or not begun or asked:
        searched = any(folder.root.glob(f"ablations/retuned/*/seed-*/{RECORD}"))
        fix_question(folder.question, question, after_runs=begun, searched=searched)


def run_ablation(plan: Plan, *, train: Callable[[RunSource], None], emit: Emit) -> None:
    """Train and test every run of a plan that is not done; interrupted, a new plan goes on where it stopped.

    A run that fails is recorded as failed, and the others go on.

    Args:
        plan: from ``plan_ablation``.
        train: drives a source of runs to its end.
        emit: told of results.
    """
    done = sum(planned.done for planned in plan.runs)
    emit(StageBegun(f"ablation on {plan.runs[0].dataset.name}", total=len(plan.runs), done=done))
    for planned in plan.runs:
        if planned.copy_of is not None:
            _take_over(planned.copy_of, planned.run)
            emit(RunEnded(str(planned.run.folder), planned.run.label, "", {}, {}, note="the winner's run, taken over"))
    # Arms that keep other modalities have other data to be tested on.
    for _, group in itertools.groupby(plan.missing, key=lambda planned: planned.dataset.data_hash):
        runs = list(group)
        train(FixedRuns([planned.run for planned in runs], dataset=runs[0].dataset, emit=emit))


def _take_over(source: Path, run: Run) -> None:
    """Copy a run of equal config, seed and data; training it again would give the same bits."""
    run.folder.mkdir(parents=True, exist_ok=True)
    for name in (HISTORY, VALIDATION, EMBEDDINGS, PARTS, DIAGNOSTICS, TEST, RECEIPT):
        if (source / name).exists():
            shutil.copyfile(source / name, run.folder / name)
    record = {key: value for key, value in read_run_folder(source).record.items() if key != "trial"}
    write_json(
        run.folder / RECORD,
        {**record, **run.extra, "copied_from": Path(os.path.relpath(source, run.folder)).as_posix()},
    )

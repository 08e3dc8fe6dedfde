"""Running a planned study: search, finalise, and leave records, summary and the table of trials."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace

from optuna.samplers import BaseSampler
from optuna.trial import TrialState

from sea_core.errors import UserError
from sea_core.interrupts import StopRequest
from sea_core.run_folder import read_run_folder
from study.planning.study_plan import StudyPlan
from study.records.provenance import write_provenance
from study.records.run import Run
from study.records.seeds import trial_seeds
from study.records.spec import read_spec, write_spec
from study.records.study import Study, load_study
from study.records.summary import write_summary, write_trials_table
from study.running.driver import RunSource, drive
from study.running.events import Emit, Note, StageBegun
from study.running.executors.base import Executor
from study.running.executors.make import make_executor
from study.running.fixed_runs import FixedRuns
from study.running.held_study import held_study
from study.running.resources import Resources
from study.searching.budget import Budget
from study.searching.make import make_search
from study.searching.pruners import make_pruner
from study.searching.repairs import Repairs
from study.searching.samplers import make_sampler
from study.searching.storage import open_storage
from study.searching.storage_check import check_database, check_storage, find_study
from study.searching.trial_store import TrialStore
from study.selection.baseline_runs import baseline_runs
from study.selection.winner import Winner, finalize


class StudyRun:
    """One study while this process drives it. Make it with ``driving``."""

    def __init__(self, plan: StudyPlan, executor: Executor, *, emit: Emit, stop: StopRequest) -> None:
        self.plan, self._executor, self._emit, self._stop = plan, executor, emit, stop
        self._begun = self._written = time.monotonic()

        def sampler_of(number: int) -> BaseSampler:
            return make_sampler(plan.sampler, plan.space, seed=plan.seed, number=number)

        check_database(plan.folder, plan.storage)
        storage = open_storage(plan.storage, write_line=lambda line: emit(Note(line)))
        find_study(plan.folder, storage, adopt=plan.adopt)
        self._store = TrialStore(
            storage,
            plan.folder.name,
            plan.space,
            make_sampler=None if plan.sampler == "grid" else sampler_of,
            pruner=make_pruner(plan.pruner, epochs=plan.base.epochs, seeds=plan.seeds_per_trial),
        )
        check_storage(plan.folder, self._store, plan.spec)
        if self._store.begun == 0:
            for params in plan.first:
                self._store.enqueue(params)

    @property
    def has_result(self) -> bool:
        """Whether a trial is complete, so that there is something to finalise."""
        return any(trial.state == TrialState.COMPLETE for trial in self._store.trials())

    def train(self, source: RunSource) -> None:
        """Drive a source of runs to its end.

        Raises:
            Stopped: the user asked to stop.
        """
        drive(source, self._executor, emit=self._emit, stop=self._stop)

    def search(self) -> None:
        """Run trials until the plan's number is reached, its budget is spent, or its time is over.

        Raises:
            UserError: no trial began within the plan's time.
            Stopped: the user asked to stop.
        """
        plan = self.plan
        seeds = trial_seeds(plan.seed, plan.seeds_per_trial)
        deadline = None if plan.timeout is None else self._begun + plan.timeout
        whole = self._whole_run()
        self.train(
            Repairs(
                plan.folder,
                self._store.trials(),
                base=plan.base,
                seeds=seeds,
                dataset=plan.dataset,
                emit=self._emit,
            )
        )
        source = make_search(
            plan.folder,
            self._store,
            seeds=seeds,
            base=plan.base,
            space=plan.space,
            enumerate_grid=plan.sampler == "grid",
            dataset=plan.dataset,
            budget=Budget(plan.trials, deadline, plan.budget, workers=self._executor.slots, whole=whole),
            promotion=plan.promotion,
            emit=self._emit,
        )
        finished = sum(trial.state.is_finished() for trial in self._store.trials())
        # Where trials pause, how many there will be is not known, and what is spent stands with each of them.
        total = None if plan.promotion is not None and plan.trials is None else plan.expected_trials
        self._emit(StageBegun(f"search on {plan.dataset.name}", total=total, done=finished))
        self.train(source)
        if source.ended is not None and plan.budget is not None:
            self._emit(Note(f"the search ends: {source.ended}"))
        if plan.timeout is not None and self._store.begun == 0:
            raise UserError(
                f"no trial began within --timeout {plan.timeout:g} s of setting up; give the search more time"
            )

    def _whole_run(self) -> int | None:
        """Epochs of the base configuration trained until it stops, for a budget that counts such runs.

        The first trial says it, unless trials have a smaller cap than what is final; then it is trained for that. A
        study that was begun when the capped trial counted goes on as it began.
        """
        plan = self.plan
        if plan.budget is None or plan.budget.unit != "runs" or plan.base.epochs >= plan.final_epochs:
            return None
        folder, label = plan.folder.root / "whole-run", "the base configuration, to know how long a run is"
        run = Run(plan.final_base, plan.seed, folder, label=label)
        if self._store.begun > 0 and not run.is_done(plan.dataset):
            return None
        self.train(FixedRuns([run], dataset=plan.dataset, emit=self._emit))
        epochs = read_run_folder(folder).record.get("epochs")
        return None if epochs is None else int(epochs)

    def finalize(self, *, baselines: bool = True) -> Winner:
        """Select the winner, open it on test, and evaluate the baselines, unless another study of these data does."""
        plan = self.plan
        winner = finalize(
            plan.folder,
            self._store.trials(),
            base=plan.final_base,
            seed=plan.seed if plan.final_seed is None else plan.final_seed,
            finalists=plan.finalists,
            fresh=plan.fresh_seeds,
            competing=plan.finalist_seeds,
            dataset=plan.dataset,
            train=self.train,
            emit=self._emit,
            beside_default=baselines,
            controls=plan.controls,
        )
        if baselines:
            runs = baseline_runs(plan.folder, plan.dataset, base=plan.base, seed=plan.seed, seeds=winner.seeds)
            self.train(FixedRuns(runs, dataset=plan.dataset, emit=self._emit))
        return winner

    def write_results(self, *, expected: float | None = None) -> Study | None:
        """Write ``trials.csv`` and ``summary.json`` from what is finished, if anything is.

        Args:
            expected: seconds that a study which this process began, and finished, was estimated to take.

        Returns:
            The study as it lies on disk now; None if nothing is finished.
        """
        if not any(trial.state.is_finished() for trial in self._store.trials()):
            return None
        study, now = load_study(self.plan.folder.root), time.monotonic()
        write_trials_table(study)
        write_summary(study, seconds=now - self._written, expected=expected)
        self._written = now
        return study


@contextlib.contextmanager
def driving(plan: StudyPlan, resources: Resources, *, emit: Emit, stop: StopRequest) -> Iterator[StudyRun]:
    """Take a study's lock, write what it is, and open it.

    Raises:
        UserError: the folder or the storage cannot be written, or another process drives this study. What was finished
            before a disk became full is kept.
    """
    folder = plan.folder
    with held_study(folder, plan.dataset.name, plan.base.as_dict(), emit=emit):
        stored = read_spec(folder)
        if stored is None:
            write_spec(folder, plan.spec)
        elif (stored.final_epochs or plan.base.epochs) != plan.final_epochs:  # all else stays as the storage knows it
            write_spec(folder, replace(stored, final_epochs=plan.final_epochs))
        write_provenance(folder, plan.dataset)
        with contextlib.closing(make_executor(plan.dataset, resources, emit=emit)) as executor:
            yield StudyRun(plan, executor, emit=emit, stop=stop)

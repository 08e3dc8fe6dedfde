"""Finished trials whose record was lost or damaged: trained again, to the same bits, so that the study is whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.run_folder import HISTORY, RunFiles, RunFolder, read_run_folder
from sea_core.training.run import EpochReport
from study.records.folder import StudyFolder
from study.records.run import Run
from study.records.seed_runs import finished_seeds, joint_files, judged_on, seed_entry
from study.running.driver import Then, write_failed_run, write_run_files
from study.running.events import Emit, Note
from study.running.executors.base import Failure
from study.searching.trials import trial_entry


class Repairs:
    """See the module. A ``RunSource``; the storage keeps what it knows and is not told again."""

    def __init__(
        self,
        folder: StudyFolder,
        trials: Sequence[FrozenTrial],
        *,
        base: Config,
        seeds: Sequence[int],
        dataset: Dataset,
        emit: Emit,
    ) -> None:
        """Look for finished trials without a readable record; arguments as in ``make_search``."""
        self._folder, self._base, self._seeds, self._dataset, self._emit = folder, base, seeds, dataset, emit
        self._queue = [trial for trial in trials if trial.state.is_finished() and not self._is_whole(trial)]
        self._going_on: dict[str, FrozenTrial] = {}
        for trial in self._queue:
            emit(Note(f"trial {trial.number} has no readable record any more; it is made again"))

    def next(self) -> Run | None:
        """See ``RunSource``; a failed trial needs no training."""
        while self._queue:
            trial = self._queue.pop(0)
            folder = self._folder.trial(trial.number)
            folder.mkdir(parents=True, exist_ok=True)
            if trial.state == TrialState.FAIL:
                self._write_failure(folder, trial)
                continue
            seed = self._lost_seed(trial)
            if seed is None:  # all seeds are there, and only the trial's own record is not
                self._join(folder, trial)
                continue
            place = folder if len(self._seeds) == 1 else self._folder.trial_seed(trial.number, seed)
            place.mkdir(parents=True, exist_ok=True)
            run = Run(self._base.override(**trial.params), seed, place, label=f"trial {trial.number}, again")
            self._going_on[run.key] = trial
            return run
        return None

    def report(self, run: Run, report: EpochReport) -> Then:
        """See ``RunSource``; a pruned trial ends where it was pruned."""
        trial = self._going_on[run.key]
        whole = len(self._seeds) > 1 or trial.state != TrialState.PRUNED
        return Then.GO_ON if whole or report.epoch < (trial.last_step or 0) else Then.END

    def pause(self, run: Run, files: RunFiles, *, attempts: int) -> None:
        """See ``RunSource``; ``report`` asks for none."""
        raise AssertionError("a run that is made again was paused")

    def finish(self, run: Run, files: RunFiles, *, pruned: bool, attempts: int) -> None:
        """See ``RunSource``."""
        trial = self._going_on.pop(run.key)
        if len(self._seeds) > 1:
            write_run_files(run.folder, files, seed_entry(trial.number, run.seed, attempts=attempts))
            self._queue.insert(0, trial)
            return
        entry = trial_entry(trial, attempts=attempts, duplicate_of=trial.user_attrs.get("duplicate_of"))
        write_run_files(run.folder, files, entry)
        self._emit(Note(f"trial {trial.number}: record made again"))

    def fail(self, run: Run, failure: Failure, *, attempts: int) -> None:
        """See ``RunSource``; what once ended well should do so again.

        Raises:
            UserError: always.
        """
        raise UserError(f"the record of {run.folder} is damaged and the run cannot be repeated: {failure.message}")

    def _write_failure(self, folder: Path, trial: FrozenTrial) -> None:
        failure = trial.user_attrs.get("failure", {"kind": "error", "message": "unknown"})
        try:
            config = self._base.override(**trial.params)
        except UserError:  # parameters that someone enqueued, and that made the trial fail
            config = self._base
        run = Run(config, self._seeds[0], folder, label=f"trial {trial.number}")
        entry = trial_entry(trial, attempts=trial.user_attrs.get("attempts", 1))
        write_failed_run(run, self._dataset, Failure(failure["kind"], failure["message"]), entry)

    def _is_whole(self, trial: FrozenTrial) -> bool:
        path = self._folder.trial(trial.number)
        try:
            number = read_run_folder(path).record["trial"]["number"]
        except (UserError, KeyError, TypeError):
            return False
        if number != trial.number or trial.state == TrialState.FAIL:
            return number == trial.number
        return (path / HISTORY).exists() and (len(self._seeds) == 1 or self._lost_seed(trial) is None)

    def _lost_seed(self, trial: FrozenTrial) -> int | None:
        """The first seed whose run is to be made again; None if a trial of several seeds has all it had."""
        if len(self._seeds) == 1:
            return self._seeds[0]
        had, finished = trial.last_step or 0, self._finished(trial)
        return None if len(finished) == had else self._seeds[len(finished)]

    def _join(self, folder: Path, trial: FrozenTrial) -> None:
        """Write a trial's own record from those of its seeds."""
        runs = self._finished(trial)
        attempts = max(run.record["trial"]["attempts"] for run in runs)
        entry = trial_entry(trial, attempts=attempts, duplicate_of=trial.user_attrs.get("duplicate_of"))
        entry["trial"] |= judged_on(runs, self._base.valid_metric)
        write_run_files(folder, joint_files(runs), entry)
        self._emit(Note(f"trial {trial.number}: record made again"))

    def _finished(self, trial: FrozenTrial) -> list[RunFolder]:
        config, had = self._base.override(**trial.params), self._seeds[: trial.last_step or 0]
        return finished_seeds(self._folder, trial.number, config, had, self._dataset)

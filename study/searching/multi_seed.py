"""A search whose trials are judged on several seeds, with seeds as what a pruner saves.

A trial begins with the study's seed. After every seed the pruner hears the mean so far and says whether the next one is
worth it; so hopeless trials cost one run and good ones up to k. A trial's value is the mean over its seeds.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from sea_core.run_folder import RECORD, RunFiles, RunFolder
from sea_core.training.run import EpochReport
from study.records.run import Run
from study.records.seed_runs import finished_seeds, joint_files, judged_on, seed_entry, seed_values
from study.running.driver import Then, clear_leftovers, write_failed_run, write_run_files
from study.running.executors.base import Failure
from study.searching.trials import COPIED, Search, trial_entry


class SeedSearch(Search):
    """See the module. A ``RunSource`` whose runs are single seeds of trials."""

    def __init__(self, *arguments: Any, seeds: Sequence[int], **settings: Any) -> None:
        """Take up the study where it stands.

        Args:
            seeds: of every trial, in this order; the first is the study's.
            *arguments, **settings: as for ``Search``.
        """
        super().__init__(*arguments, seed=seeds[0], **settings)
        self._seeds = list(seeds)
        self._trial_runs: dict[str, Run] = {}  # a seed's run -> the run that stands for its trial
        self._following: list[Run] = []

    def next(self) -> Run | None:
        """See ``RunSource``: trials that were begun come before new ones."""
        return self._following.pop(0) if self._following else super().next()

    def report(self, run: Run, report: EpochReport) -> Then:
        """See ``RunSource``; what is pruned are seeds, not epochs."""
        return Then.GO_ON

    def finish(self, run: Run, files: RunFiles, *, pruned: bool, attempts: int) -> None:
        """See ``RunSource``. The seed's record is written first: a kill after it finds the trial one seed further."""
        trial_run = self._trial_runs.pop(run.key)
        trial = self._open[trial_run.key]
        write_run_files(run.folder, files, seed_entry(trial.number, run.seed, attempts=attempts))
        if (following := self._first_run(trial_run)) is not None:
            self._following.append(following)

    def fail(self, run: Run, failure: Failure, *, attempts: int) -> None:
        """See ``RunSource``: a trial that fails on a seed has failed."""
        trial_run = self._trial_runs.pop(run.key, run)
        if trial_run is not run:
            own = seed_entry(self._open[trial_run.key].number, run.seed, attempts=attempts)
            write_failed_run(run, self._dataset, failure, own)
        super().fail(trial_run, failure, attempts=attempts)

    def _first_run(self, run: Run) -> Run | None:
        """The first seed that is not done and that the pruner wants; if there is none, the trial ends here."""
        trial, config = self._open[run.key], run.config
        runs = finished_seeds(self._folder, trial.number, config, self._seeds, self._dataset)
        for done in runs:  # a kill may have come between a seed's record and this
            clear_leftovers(done.folder)
        values = seed_values(runs, config.valid_metric)
        for count in range(1, len(values) + 1):
            # Steps count seeds from 1. At the last one there is nothing left to save: the trial is complete.
            if self._store.report(trial, count, statistics.fmean(values[:count])) and count < len(self._seeds):
                self._end(run, runs[:count], values[:count], TrialState.PRUNED)
                return None
        if len(values) == len(self._seeds):
            self._end(run, runs, values, TrialState.COMPLETE)
            return None
        seed = self._seeds[len(values)]
        label = f"{run.label}, seed {len(values) + 1}/{len(self._seeds)}"
        following = Run(config, seed, self._folder.trial_seed(trial.number, seed), label=label)
        self._trial_runs[following.key] = run
        return following

    def _end(self, run: Run, runs: Sequence[RunFolder], values: Sequence[float], state: TrialState) -> None:
        attempts = max(each.record["trial"]["attempts"] for each in runs)
        value = statistics.fmean(values)
        extra = trial_entry(self._open[run.key], state, value, attempts=attempts)
        extra["trial"] |= judged_on(runs, run.config.valid_metric)
        record = write_run_files(run.folder, joint_files(runs), extra)
        notes = {key: record[key] for key in ("epochs", "seconds")}
        self._tell(run, state, value, seeds=len(runs), **notes)

    def _copy_result(self, original: FrozenTrial, run: Run) -> None:
        """See ``Search``; the original's seeds are copied too, before the trial's own record."""
        number = self._open[run.key].number
        for seed in self._seeds:
            source = self._folder.trial_seed(original.number, seed)
            if (source / RECORD).exists():
                files = {path.name: path.read_bytes() for path in source.iterdir() if path.suffix in COPIED}
                own = json.loads(files[RECORD])["trial"] | {"number": number}
                write_run_files(self._folder.trial_seed(number, seed), files, {"trial": own})
        super()._copy_result(original, run)

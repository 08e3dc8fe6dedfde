"""A search as a source of runs: proposes trials, judges their epochs, and keeps what becomes of them.

A trial's value is the watched validation metric of its best epoch, at full precision; a pruned trial keeps its last
report. Each trial trains with the study's seed. What decides whether trials are equal is their config: a trial whose
config an earlier one has finished gets that one's answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.run_folder import RunFiles, read_run_folder
from sea_core.training.run import EpochReport
from study.records.folder import StudyFolder
from study.records.run import Run
from study.running.driver import Then, clear_leftovers, write_failed_run, write_run_files
from study.running.events import Emit, TrialEnded
from study.running.executors.base import Failure
from study.searching.budget import Budget
from study.searching.space import Space, grid
from study.searching.trial_store import OpenTrial, TrialStore

STATE_WORDS = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}
COPIED = (".json", ".csv", ".parquet")  # files that a trial takes over from one with an equal config
_CELL_TRIES = 2  # of a grid's cell that failed for a reason that may not repeat


class Search:
    """See the module. A ``RunSource``."""

    def __init__(
        self,
        folder: StudyFolder,
        store: TrialStore,
        *,
        base: Config,
        space: Space,
        enumerate_grid: bool,
        seed: int,
        dataset: Dataset,
        budget: Budget,
        emit: Emit,
    ) -> None:
        """Take up the study where it stands.

        More than six parameters: the parts of a search, each made by another room; this class is where they meet.

        Args:
            folder, store: where its records and trials are.
            base: the config that trials share but for the searched parameters.
            space: what is searched.
            enumerate_grid: try every cell of the space, in order, instead of asking a sampler.
            seed: of every trial.
            dataset: named in records.
            budget: when to stop.
            emit: told of results.

        Raises:
            UserError: a grid over a continuous range.
        """
        self._folder, self._store, self._base, self._seed = folder, store, base, seed
        self._dataset, self._budget, self._emit = dataset, budget, emit
        self._cells = grid(space) if enumerate_grid else None
        self._resumed = list(store.open_trials)
        self.ended: str | None = None  # why no further trial begins
        self._open: dict[str, OpenTrial] = {}
        self._best_values: dict[str, float] = {}
        self._last_values: dict[str, float] = {}
        self._finished: dict[str, FrozenTrial] = {}
        for trial in store.trials():
            self._learn(trial)
            if trial.state.is_finished():
                for leftover in (folder.trial(trial.number), *folder.trial(trial.number).glob("seed-*")):
                    clear_leftovers(leftover)

    def next(self) -> Run | None:
        """See ``RunSource``; trials that need no training are answered on the way."""
        while (trial := self._next_trial()) is not None:
            run = self._run_of(trial)
            run.folder.mkdir(parents=True, exist_ok=True)
            self._open[run.key] = trial
            if trial.problem is not None:
                self.fail(run, Failure("error", trial.problem), attempts=1)
            elif (original := self._finished.get(run.config.hash())) is not None:
                self._copy_result(original, run)
            elif (first := self._first_run(run)) is not None:
                return first
        return None

    def report(self, run: Run, report: EpochReport) -> Then:
        """See ``RunSource``."""
        value = self._last_values[run.key] = report.validation[run.config.valid_metric]
        if report.improved:
            self._best_values[run.key] = value
        return Then.END if self._store.report(self._open[run.key], report.epoch, value) else Then.GO_ON

    def finish(self, run: Run, files: RunFiles, *, pruned: bool, attempts: int) -> None:
        """See ``RunSource``. The record is written before the storage is told: a told trial has its record."""
        value = self._last_values[run.key] if pruned else self._best_values[run.key]
        state = TrialState.PRUNED if pruned else TrialState.COMPLETE
        extra = trial_entry(self._open[run.key], state, value, attempts=attempts)
        record = write_run_files(run.folder, files, extra)
        notes = {key: record[key] for key in ("best_epoch", "epochs", "seconds")}
        self._tell(run, state, value, **notes, **({"attempts": attempts} if attempts > 1 else {}))

    def pause(self, run: Run, files: RunFiles, *, attempts: int) -> None:
        """See ``RunSource``; here trials go on until they end or are pruned."""
        raise AssertionError("a trial of a search that pauses none was paused")

    def fail(self, run: Run, failure: Failure, *, attempts: int) -> None:
        """See ``RunSource``."""
        extra = trial_entry(self._open[run.key], TrialState.FAIL, attempts=attempts)
        write_failed_run(run, self._dataset, failure, extra)
        why = {"kind": failure.kind, "message": failure.message}
        self._tell(run, TrialState.FAIL, None, failure=why, attempts=attempts)

    def _first_run(self, run: Run) -> Run | None:
        """What a trial begins, or goes on, with; None if nothing is left to train. Here a trial is one run."""
        return run

    def _next_trial(self) -> OpenTrial | None:
        if self._resumed:
            return self._resumed.pop(0)
        self.ended = self._budget.over(self._store.trials(), begun=self._store.begun, cap=self._base.epochs)
        return None if self.ended is not None else self._new_trial()

    def _new_trial(self) -> OpenTrial | None:
        """A trial that nobody has begun; None if a grid has no cell left."""
        if self._cells is None:
            return self._store.ask()
        cell = next_cell(self._cells, self._store.trials())
        return None if cell is None else self._store.ask(cell)

    def _has_cells(self) -> bool:
        """Whether a grid has a cell left; without one there always is another trial."""
        return self._cells is None or next_cell(self._cells, self._store.trials()) is not None

    def _run_of(self, trial: OpenTrial) -> Run:
        """The run that stands for a trial; where it cannot be run, one of the base config stands for it."""
        config = self._base if trial.problem is not None else self._base.override(**trial.params)
        return Run(config, self._seed, self._folder.trial(trial.number), label=f"trial {trial.number}")

    def _copy_result(self, original: FrozenTrial, run: Run) -> None:
        """Give a trial the answer of one with an equal config: its curve, its value and its files."""
        source, trial = self._folder.trial(original.number), self._open[run.key]
        for step, value in sorted(original.intermediate_values.items()):
            self._store.report(trial, step, value)
        known = read_run_folder(source).record["trial"]
        extra = trial_entry(
            trial, original.state, original.value, attempts=known["attempts"], duplicate_of=original.number
        )
        extra["trial"] |= {key: known[key] for key in ("seeds", "values") if key in known}
        files = {path.name: path.read_bytes() for path in source.iterdir() if path.suffix in COPIED}
        write_run_files(run.folder, files, extra)
        self._tell(run, original.state, original.value, duplicate_of=original.number)

    def _tell(self, run: Run, state: TrialState, value: float | None, **notes: Any) -> None:
        trial = self._open.pop(run.key)
        self._best_values.pop(run.key, None)
        self._last_values.pop(run.key, None)
        self._store.note(trial, **notes)
        self._store.tell(trial, state, value if state == TrialState.COMPLETE else None)
        trials = self._store.trials()
        self._learn(trials[trial.number])
        ended = TrialEnded(
            run.key,
            trial.number,
            STATE_WORDS[state],
            value,
            dict(trial.params),
            duplicate_of=notes.get("duplicate_of"),
            failure=notes["failure"]["message"] if "failure" in notes else None,
            standing=describe_trials(trials),
        )
        self._emit(ended)

    def _learn(self, trial: FrozenTrial) -> None:
        """Remember what a finished trial's config led to; of several equal ones that of the original."""
        if trial.state in (TrialState.COMPLETE, TrialState.PRUNED) and "duplicate_of" not in trial.user_attrs:
            self._finished.setdefault(self._base.override(**trial.params).hash(), trial)


def trial_entry(
    trial: OpenTrial | FrozenTrial,
    state: TrialState | None = None,
    value: float | None = None,
    *,
    attempts: int,
    duplicate_of: int | None = None,
) -> dict[str, Any]:
    """The trial's part of a record, with state and value of a finished trial if none are given."""
    if state is None:
        assert isinstance(trial, FrozenTrial)
        state, value = trial.state, trial.value
    entry = {
        "number": trial.number,
        "state": STATE_WORDS[state],
        "value": value,
        "params": trial.params,
        "attempts": attempts,
        "failure": None,
        "duplicate_of": duplicate_of,
    }
    return {"trial": entry}


def next_cell(cells: list[dict[str, Any]], trials: list[FrozenTrial]) -> dict[str, Any] | None:
    """The first cell of a grid that no trial has tried; then, once more, those whose only trial failed by accident."""
    tried: dict[str, list[FrozenTrial]] = {}
    for trial in trials:
        tried.setdefault(_cell_key(trial.params), []).append(trial)
    for cell in cells:
        if _cell_key(cell) not in tried:
            return cell
    for cell in cells:
        former = tried[_cell_key(cell)]
        accidents = [trial.user_attrs.get("failure", {}).get("kind") in ("lost", "out-of-memory") for trial in former]
        if all(accidents) and len(former) < _CELL_TRIES:
            return cell
    return None


def describe_trials(trials: list[FrozenTrial]) -> str:
    """``best 0.1234 (trial 7), 3 pruned, 1 failed``."""
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    parts = []
    if complete:
        best = max(complete, key=lambda trial: (trial.value, -trial.number))
        parts.append(f"best {best.value:.4f} (trial {best.number})")
    counts = {state: sum(trial.state == state for trial in trials) for state in (TrialState.PRUNED, TrialState.FAIL)}
    parts += [f"{count} {STATE_WORDS[state]}" for state, count in counts.items() if count]
    return ", ".join(parts)


def _cell_key(params: Mapping[str, Any]) -> str:
    return repr(sorted(params.items()))

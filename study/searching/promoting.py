"""A search that pauses trials at rungs and goes on with the better ones (``promotion.py`` decides).

A paused trial has a record of what it has led to and, if it is likely to go on soon, a checkpoint; in the storage it is
running. One whose checkpoint was dropped is trained again, to the same bits. When the search ends, what is still paused
is told as pruned. If the study is searched on later, such trials count as paused again: whether a search was
interrupted, ended and went on, or ran through makes no difference.

What counts for a budget are epochs of curves. Epochs that are trained again are not counted twice, so that the study
does not depend on when a checkpoint was lost; a run is paused at the epoch at which the budget is spent.
"""

from __future__ import annotations

from typing import Any

from optuna.trial import FrozenTrial, TrialState

from sea_core.errors import UserError
from sea_core.run_folder import HISTORY, RECORD, RunFiles, read_run_folder
from sea_core.training.run import EpochReport
from study.records.run import Run
from study.running.driver import CHECKPOINT, Then, clear_leftovers, write_run_files
from study.running.events import TrialPaused
from study.running.executors.base import Failure
from study.searching.cost import Cost
from study.searching.promotion import KEPT_CHECKPOINTS, Decision, Promotion, Standing, TakeUp
from study.searching.trial_store import OpenTrial
from study.searching.trials import Search, trial_entry

PAUSED = "paused"  # attribute of a trial that was paused when its search ended


class PromotingSearch(Search):
    """See the module. A ``RunSource``."""

    def __init__(self, *arguments: Any, promotion: Promotion, kept: int = KEPT_CHECKPOINTS, **settings: Any) -> None:
        """Take up the study where it stands.

        Args:
            promotion: the rules.
            kept: the most checkpoints of paused trials.
            *arguments, **settings: as for ``Search``.
        """
        super().__init__(*arguments, **settings)
        self._promotion, self._kept = promotion, kept
        self._until: dict[str, int | None] = {}  # epochs that a run may have before it pauses
        self._take_stock()

    def next(self) -> Run | None:
        """See ``RunSource``; when nothing is left to train, what is paused is told."""
        if self._told and (self._resumed or self._decide() != "end"):
            self._store.make_running(self._told)
            self._resumed = list(self._store.open_trials)
            self._take_stock()
        run = super().next()
        if run is None and not self._open:
            self._tell_paused()
        return run

    def report(self, run: Run, report: EpochReport) -> Then:
        """See ``RunSource``; a run pauses at its rung, or where the budget is spent."""
        number, epochs = self._open[run.key].number, report.epoch + 1
        super().report(run, report)
        curve = self._curves[number]
        if epochs > len(curve):
            curve.append(report.validation[run.config.valid_metric])
        self._seconds[number] = report.seconds + (self._seconds[number] if report.epoch > 0 else 0.0)
        until = self._until[run.key]
        at_rung = until is not None and epochs >= until
        return Then.PAUSE if at_rung or (epochs == len(curve) and self._spent() is not None) else Then.GO_ON

    def pause(self, run: Run, files: RunFiles, *, attempts: int) -> None:
        """See ``RunSource``. With the record the trial is paused: a kill before it trains what is missing again."""
        trial = self._open[run.key]
        curve = self._curves[trial.number]
        write_run_files(run.folder, files, trial_entry(trial, TrialState.PRUNED, curve[-1], attempts=attempts))
        del self._open[run.key], self._until[run.key]
        self._put_aside(trial)
        self._drop_checkpoints()
        self._emit(TrialPaused(run.key, trial.number, len(curve), curve[-1], self._budget_so_far()))

    def finish(self, run: Run, files: RunFiles, *, pruned: bool, attempts: int) -> None:
        """See ``RunSource``."""
        number = self._open[run.key].number
        super().finish(run, files, pruned=pruned, attempts=attempts)
        self._ended.add(number)

    def fail(self, run: Run, failure: Failure, *, attempts: int) -> None:
        """See ``RunSource``."""
        self._failed.add(self._open[run.key].number)
        super().fail(run, failure, attempts=attempts)

    def _take_stock(self) -> None:
        """Sort the study's trials into those that ended, that are paused, and that were being trained."""
        self._curves: dict[int, list[float]] = {}
        self._seconds: dict[int, float] = {}
        self._ended: set[int] = set()
        self._failed: set[int] = set()
        self._told: set[int] = set()  # paused when the search ended, and told so
        self._paused: dict[int, OpenTrial] = {}
        self._finished.clear()
        running = {trial.number: trial for trial in self._resumed}
        for trial in self._store.trials():
            if trial.state == TrialState.WAITING or "duplicate_of" in trial.user_attrs:
                continue
            self._curves[trial.number] = [trial.intermediate_values[step] for step in sorted(trial.intermediate_values)]
            self._seconds[trial.number] = float(trial.user_attrs.get("seconds", 0.0))
            self._learn(trial)
            if trial.state == TrialState.FAIL:
                self._failed.add(trial.number)
            elif trial.state == TrialState.COMPLETE:
                self._ended.add(trial.number)
            elif trial.state == TrialState.PRUNED:
                (self._told if trial.user_attrs.get(PAUSED) else self._ended).add(trial.number)
            elif self._is_paused(running[trial.number]):
                self._put_aside(running[trial.number])
        self._resumed = [trial for trial in self._resumed if trial.number not in self._paused]
        self._drop_checkpoints()

    def _is_paused(self, trial: OpenTrial) -> bool:
        """Whether a running trial has the record of a pause; one without has epochs to train, perhaps once more."""
        folder = self._folder.trial(trial.number)
        try:
            record = read_run_folder(folder).record
            own = record["trial"]
            paused = own["state"] == "pruned" and own["duplicate_of"] is None and own["number"] == trial.number
            if not paused or record["epochs"] != len(self._curves[trial.number]) or not (folder / HISTORY).exists():
                return False
        except (UserError, KeyError, TypeError):
            return False
        self._seconds[trial.number] = float(record["seconds"])
        return True

    def _put_aside(self, trial: OpenTrial) -> None:
        seen = self._store.pause(trial, self._curves[trial.number])
        self._paused[trial.number] = trial
        self._finished[self._hash(seen)] = seen

    def _drop_checkpoints(self) -> None:
        """Keep as many checkpoints as are allowed, of those that are next in line."""
        for number in self._promotion.next_in_line(self._standings())[self._kept :]:
            (self._folder.trial(number) / CHECKPOINT).unlink(missing_ok=True)

    def _next_trial(self) -> OpenTrial | None:
        if self._resumed:
            return self._resumed.pop(0)
        decision = self._decide()
        if isinstance(decision, TakeUp):
            trial = self._paused.pop(decision.number)
            self._store.take_up(trial)
            run = self._run_of(trial)
            self._finished.pop(run.config.hash(), None)
            self._until[run.key] = self._promotion.pause_after(trial.number, len(self._curves[trial.number]))
            return trial
        return self._new_trial() if decision == "begin" else None

    def _decide(self) -> Decision:
        self.ended = self._budget.late() or self._spent()
        if self.ended is not None:
            return "end"
        full = self._budget.full(self._store.begun)
        decision = self._promotion.decide(self._standings(), may_begin=full is None and self._has_cells())
        self.ended = full if decision == "end" else None
        return decision

    def _standings(self) -> list[Standing]:
        return [
            Standing(
                number,
                curve,
                ended=number in self._ended,
                going=not (number in self._ended or number in self._paused or number in self._told),
            )
            for number, curve in sorted(self._curves.items())
            if number not in self._failed
        ]

    def _first_run(self, run: Run) -> Run:
        """The run goes on to its next rung; from now on it has no record of a pause."""
        trial = self._open[run.key]
        epochs = len(self._curves.setdefault(trial.number, []))
        self._seconds.setdefault(trial.number, 0.0)
        # One that was found running may stand exactly at its rung, without the record of its pause.
        self._until.setdefault(run.key, self._promotion.pause_after(trial.number, max(0, epochs - 1)))
        (run.folder / RECORD).unlink(missing_ok=True)
        return run

    def _copy_result(self, original: FrozenTrial, run: Run) -> None:
        self._curves.pop(self._open[run.key].number, None)  # a copy has cost nothing and is ranked nowhere
        super()._copy_result(original, run)
        clear_leftovers(run.folder)  # a paused original has some, and they are no result

    def _tell(self, run: Run, state: TrialState, value: float | None, **notes: Any) -> None:
        self._until.pop(run.key, None)
        super()._tell(run, state, value, **notes)

    def _tell_paused(self) -> None:
        """End the trials that are paused, where the search ends: none is running in a finished study."""
        for number, trial in sorted(self._paused.items()):
            run = self._run_of(trial)
            self._open[run.key] = trial
            record = read_run_folder(run.folder).record
            notes = {key: record[key] for key in ("best_epoch", "epochs", "seconds")}
            self._tell(run, TrialState.PRUNED, self._curves[number][-1], **notes, **{PAUSED: True})
            clear_leftovers(run.folder)
        self._told |= self._paused.keys()
        self._paused = {}

    def _spent(self) -> str | None:
        """Why nothing may be trained any further; the first trial is trained to its end, whatever that costs."""
        cost, whole = self._budget.cost, self._whole_run()
        return None if cost is None or whole is None else self._budget.spent(self._cost_so_far(cost), whole)

    def _cost_so_far(self, cost: Cost) -> float:
        if cost.unit == "seconds":
            return sum(self._seconds.values()) / self._budget.workers
        return float(sum(map(len, self._curves.values())) + (self._budget.whole or 0))

    def _whole_run(self) -> float | None:
        """Epochs of a whole run: as measured, else those of the first trial; None while nobody knows."""
        if self._budget.whole is not None:
            return float(self._budget.whole)
        if 0 in self._failed or 0 not in self._curves:
            ended = min(self._ended, default=None)
            return float(self._base.epochs if ended is None else len(self._curves[ended]))
        return float(len(self._curves[0])) if 0 in self._ended else None

    def _budget_so_far(self) -> str:
        """How much of the budget is spent, in words; empty without one."""
        cost, whole = self._budget.cost, self._whole_run()
        if cost is None or whole is None:
            return ""
        allowed = cost.amount * whole if cost.unit == "runs" else cost.amount
        return f"{self._cost_so_far(cost) / allowed:.0%} of {cost} spent"

    def _hash(self, trial: FrozenTrial) -> str:
        return self._base.override(**trial.params).hash()

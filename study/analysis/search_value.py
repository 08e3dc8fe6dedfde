"""What searches were worth: expected validation performance against budget, and what more trials would bring."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from study.analysis.results import Results
from study.analysis.stats.budget_curve import BudgetCurve, budget_curve
from study.analysis.stats.more_search import LEAST, MoreSearch, more_search
from study.records.arm_names import FULL
from study.records.study import RunRecord, Study

LEARNING = ("tpe", "gp")  # samplers whose trials are no independent draws
ENOUGH = 2  # complete trials for a curve


class SearchValue(NamedTuple):
    """A search and its curve.

    Attributes:
        arm: whose search it is; ``full`` for the study's own.
        sampler: who proposed the trials.
        curve: expected best value, by complete trials.
        best: the best value there is.
        epochs: that a complete trial has cost, with those that were pruned or failed beside it.
        run: epochs of a whole run: of the base configuration's trial, else of the mean complete one.
        more: what as many trials again would add; None of a grid, of too few trials, or of a search that is no sample.
        late: what the second half of the trials added to the best of the first.
    """

    arm: str
    sampler: str
    curve: BudgetCurve
    best: float
    epochs: float
    run: float
    more: MoreSearch | None
    late: float | None

    @property
    def full_runs(self) -> np.ndarray:
        """The budgets of the curve in full-run equivalents."""
        return self.curve.trials * self.epochs / self.run


def search_values(results: Results, study: Study) -> list[SearchValue]:
    """The study's own search and those of its re-tuned arms; empty without two complete trials."""
    return results.once(study, "search values", lambda: _compute(study))


def _compute(study: Study) -> list[SearchValue]:
    unit = _whole_run(study)
    searches = [(FULL, study), *study.arm_searches.items()]
    values = [_of_search(arm, search, unit or _whole_run(search)) for arm, search in searches]
    return [value for value in values if value is not None]


def _of_search(arm: str, search: Study, run: float | None) -> SearchValue | None:
    complete = [trial for trial in search.complete_trials if trial.duplicate_of is None]
    if len(complete) < ENOUGH:
        return None
    values = np.array([trial.value for trial in complete], dtype=np.float64)
    sampler = search.spec.sampler if search.spec is not None else ""
    spent = sum(_epochs(trial) for trial in search.trials)
    half = len(values) // 2
    is_sample = sampler != "grid" and len(values) >= LEAST
    return SearchValue(
        arm=arm,
        sampler=sampler,
        curve=budget_curve(values),
        best=float(values.max()),
        epochs=spent / len(values),
        run=run or spent / len(values),
        more=more_search(values) if is_sample else None,
        late=float(max(0.0, values.max() - values[:half].max())) if is_sample else None,
    )


def _epochs(trial: RunRecord) -> int:
    return 0 if trial.duplicate_of is not None else int(trial.record.get("epochs") or 0)


def _whole_run(study: Study) -> float | None:
    """Epochs of one run of the base configuration, which is trial 0; None if that is not complete."""
    first = next((trial for trial in study.complete_trials if trial.number == 0), None)
    return None if first is None or not _epochs(first) else _epochs(first) / max(1, len(first.judged_on))

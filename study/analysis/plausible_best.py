"""Which trials of a search might be the best: those that win when the validation users are resampled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from study.analysis.stats.stability import selection_stability
from study.records.study import RunRecord, Study

LEVEL = 0.95  # share of the resamples in which one of the contenders is the best


class Contenders(NamedTuple):
    """What resampled users leave of a search's order; what other seeds would change is not in here.

    Attributes:
        best: the trial with the best value.
        share: of the resamples, in which it stays the best.
        trials: the fewest trials that together are the best in ``LEVEL`` of the resamples, the most frequent first.
        users: with validation metrics.
    """

    best: RunRecord
    share: float
    trials: list[RunRecord]
    users: int


def contenders(study: Study) -> Contenders | None:
    """The contenders among the complete trials; None of fewer than two trials with the same users' metrics."""
    metric = study.metric
    trials = [
        trial
        for trial in study.trials
        if trial.state == "complete" and trial.duplicate_of is None and trial.value is not None
    ]
    known = [trial for trial in trials if trial.validation is not None and metric in trial.validation.values]
    if len(known) < 2 or len(known) < len(trials):
        return None
    users = [np.asarray(trial.validation.users) for trial in known if trial.validation is not None]
    if not all(np.array_equal(each, users[0]) for each in users):
        return None
    values = [np.asarray(t.validation.values[metric], dtype=np.float64) for t in known if t.validation is not None]
    found = selection_stability(np.stack(values), rng=np.random.default_rng(0))
    order = np.argsort(-found.win_share, kind="stable")
    count = 1 + int(np.searchsorted(np.cumsum(found.win_share[order]), LEVEL - 1e-9))
    return Contenders(
        known[found.winner], found.winner_share, [known[n] for n in order[:count]], int(values[0].shape[0])
    )

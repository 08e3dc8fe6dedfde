"""Which trials of a search might be the best: a model confidence set over its validation users."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from study.analysis.stats.best_set import model_confidence_set
from study.analysis.stats.stability import selection_stability
from study.records.study import RunRecord, Study

LEVEL = 0.95  # probability that the best trial is among the contenders


class Contenders(NamedTuple):
    """What resampled users leave of a search's order; what other seeds would change is not in here.

    Attributes:
        best: the trial with the best value.
        share: of the resamples, in which it stays the best.
        trials: the model confidence set, which holds the best trial with probability ``LEVEL``; best mean first.
        users: with validation metrics.
    """

    best: RunRecord
    share: float
    trials: list[RunRecord]
    users: int


class BestFinalists(NamedTuple):
    """Finalists that may be the best, by their fresh seeds.

    Attributes:
        inside: numbers of the trials in the model confidence set, best mean first.
        seeds, users: over which it was drawn.
    """

    inside: list[int]
    seeds: int
    users: int


def best_finalists(study: Study) -> BestFinalists | None:
    """The set over seeds and users; None of fewer than two finalists with two common seeds and the same users."""
    runs: dict[int, dict[int, RunRecord]] = {}
    for run in study.finalists:
        if run.number is not None and run.seed is not None and run.validation is not None and run.state == "complete":
            runs.setdefault(run.number, {})[run.seed] = run
    seeds = sorted(set.intersection(*(set(each) for each in runs.values()))) if runs else []
    if len(runs) < 2 or len(seeds) < 2:
        return None
    scores = {number: [by_seed[seed].validation for seed in seeds] for number, by_seed in runs.items()}
    users = [np.asarray(each.users) for column in scores.values() for each in column if each is not None]
    if not all(np.array_equal(each, users[0]) for each in users):
        return None
    metric = study.metric
    values = np.stack(
        [
            np.stack([np.asarray(each.values[metric], dtype=np.float64) for each in column if each is not None])
            for column in scores.values()
        ]
    )
    inside = model_confidence_set(values, rng=np.random.default_rng(0), alpha=1 - LEVEL).inside
    order = np.argsort(-values.mean(axis=(1, 2)), kind="stable")
    numbers = list(scores)
    return BestFinalists([numbers[n] for n in order if inside[n]], len(seeds), values.shape[2])


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
    stacked = np.stack(values)
    stability = selection_stability(stacked, rng=np.random.default_rng(0))
    inside = model_confidence_set(stacked[:, None, :], rng=np.random.default_rng(0), alpha=1 - LEVEL).inside
    order = [int(n) for n in np.argsort(-stacked.mean(axis=1), kind="stable") if inside[n]]
    return Contenders(known[stability.winner], stability.winner_share, [known[n] for n in order], stacked.shape[1])

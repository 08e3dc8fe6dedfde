"""Re-tuned arms that were searched several times: searches are a sample beside seeds and users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from study.analysis.paired_runs import Runs, per_user, require_same_users, tested
from study.analysis.stats.bootstrap import hierarchical_bootstrap
from study.analysis.stats.compare import Pair, describe
from study.analysis.stats.comparison import ALPHA, Comparison
from study.analysis.stats.contrasts import Evidence
from study.analysis.stats.searches import LEAST_SEARCHES, searched_effect
from study.records.arm_names import FULL
from study.records.study import Study

LEAST_SEEDS = 2
_RESAMPLES = 1000


class SearchSample(NamedTuple):
    """An arm against the full model by one metric, over several searches of each.

    Attributes:
        row: as any other comparison's, with the searches in its interval; not judged yet.
        evidence: for the verdict.
        searches: how many, at least ``LEAST_SEARCHES``.
    """

    row: Comparison
    evidence: Evidence
    searches: int


def search_samples(
    study: Study, arm: str, metrics: Sequence[str], *, margin: float, most_seeds: int
) -> dict[str, SearchSample]:
    """Metric -> the arm against the full model; nothing where fewer than three searches of both are finished.

    A search that has not finished every seed that the first one has is left out until it has.

    Args:
        study: with re-tuned arms.
        arm: not the full model.
        metrics: to compare by.
        margin: as a share of the full model's mean.
        most_seeds: of the design; searches are looked at once, so the evidence counts as the last look's.

    Raises:
        UserError: runs were tested on different users.
    """
    ours, theirs = (_by_search(study, name) for name in (arm, FULL))
    seeds = sorted(ours.get(1, {}).keys() & theirs.get(1, {}).keys())
    numbers = [n for n in ours if n in theirs and all(seed in ours[n] and seed in theirs[n] for seed in seeds)]
    if len(numbers) < LEAST_SEARCHES or len(seeds) < LEAST_SEEDS:
        return {}
    for number in numbers:
        require_same_users(theirs[1][seeds[0]], ours[number][seeds[0]])
        require_same_users(theirs[1][seeds[0]], theirs[number][seeds[0]])
    base = [per_user(theirs[number], seeds, metrics) for number in numbers]
    values = [per_user(ours[number], seeds, metrics) for number in numbers]
    return {
        metric: _sample(
            arm,
            metric,
            np.stack([each[metric] for each in base]),
            np.stack([each[metric] for each in values]),
            (margin, most_seeds),
        )
        for metric in metrics
    }


def _sample(
    arm: str,
    metric: str,
    base: Float[np.ndarray, "searches seeds users"],
    values: Float[np.ndarray, "searches seeds users"],
    margin_and_seeds: tuple[float, int],
) -> SearchSample:
    margin, most_seeds = margin_and_seeds
    effect = searched_effect(values - base)
    evidence = Evidence(
        seeds=most_seeds,
        mean=effect.mean,
        user_variance=effect.user_variance,
        seed_variance=effect.seed_variance,
        df=effect.df,
        user_df=effect.users - 1,
        margin=margin * abs(float(base.mean())),
    )
    rng = np.random.default_rng(0)  # a table that is computed twice must not change
    over_seeds = Pair(metric, arm, FULL, base.mean(axis=0), values.mean(axis=0))
    (row,) = describe([over_seeds], rng=rng, margin=margin, resamples=2, evidence=[evidence])
    over_searches = (values - base).mean(axis=1)
    interval = hierarchical_bootstrap(over_searches[None], rng=rng, resamples=_RESAMPLES, alpha=ALPHA)
    note = f"{effect.searches} searches an arm, between which the difference has an sd of {effect.search_sd:.4f}"
    row = row._replace(
        mode="retuned",
        p_unmoderated=row.p,
        bootstrap_low=float(interval.low[0]),
        bootstrap_high=float(interval.high[0]),
        searches=effect.searches,
        note=note,
    )
    return SearchSample(row, evidence, effect.searches)


def _by_search(study: Study, arm: str) -> dict[int, Runs]:
    """Number of a search -> seed -> the run of what it chose."""
    first = tested(run for run in study.ablations if (run.mode, run.arm) == ("retuned", arm))
    again = [run for run in study.repeated if run.arm == arm]
    numbers = sorted({int(run.record["search"]) for run in again})
    further: dict[int, Runs] = {
        number: tested(run for run in again if run.record["search"] == number) for number in numbers
    }
    return {1: first, **further} if first else {}

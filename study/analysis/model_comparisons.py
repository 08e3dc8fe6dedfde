"""Winners of several models on one dataset, each tuned by a search of its own, against one of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sea_core.config import Config
from study.analysis.paired_runs import per_user, require_same_users, tested
from study.analysis.stats.compare import Pair, describe
from study.analysis.stats.comparison import Comparison
from study.records.study import Study

NOTE = "one search a model compares two configurations, not two models, so there is no verdict"


def compare_models(studies: Sequence[Study], metrics: Sequence[str]) -> list[Comparison]:
    """The winner of every other model against the reference's, on the seeds that both finished.

    A dataset whose studies are of one model has no row, and a model with two studies on a dataset has one for each. The
    reference is SEA where it was searched, else the first study's model.

    Args:
        studies: of any datasets, with or without a winner.
        metrics: of the rows.

    Returns:
        Rows named by study: ``arm`` is the study compared, ``reference`` the study of the reference model.

    Raises:
        UserError: two winners of one dataset were tested on different users.
    """
    rows: list[Comparison] = []
    for dataset, inside in winners_by_dataset(studies).items():
        reference = reference_study(inside)
        base = tested(reference.winner)
        pairs = []
        for study in inside:
            runs = tested(study.winner)
            seeds = sorted(base.keys() & runs.keys())
            if study is reference or not seeds:
                continue
            require_same_users(base[seeds[0]], runs[seeds[0]])
            ours, theirs = per_user(base, seeds, metrics), per_user(runs, seeds, metrics)
            pairs += [Pair(metric, study.name, reference.name, ours[metric], theirs[metric]) for metric in metrics]
        described = describe(pairs, rng=np.random.default_rng(0))
        rows += [row._replace(dataset=dataset, study=row.arm, verdict="descriptive", note=NOTE) for row in described]
    return rows


def winners_by_dataset(studies: Sequence[Study]) -> dict[str, list[Study]]:
    """Dataset -> its studies that have a winner, where they are of several models."""
    by_dataset: dict[str, list[Study]] = {}
    for study in studies:
        if study.winner:
            by_dataset.setdefault(study.dataset, []).append(study)
    return {dataset: inside for dataset, inside in by_dataset.items() if len({each.model for each in inside}) > 1}


def reference_study(studies: Sequence[Study]) -> Study:
    """SEA's, else the first."""
    return next((study for study in studies if study.model == Config.model), studies[0])

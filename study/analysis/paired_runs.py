"""Per-user test results of runs that are compared, one row a replicate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from sea_core.errors import UserError
from study.records.study import RunRecord

Runs = Mapping[int, RunRecord]  # seed -> run
PerUser = dict[str, Float[np.ndarray, "replicates users"]]  # metric -> values; a replicate is a seed, or a split


def tested(runs: Iterable[RunRecord]) -> dict[int, RunRecord]:
    """Seed -> run, of those with test results."""
    return {run.seed: run for run in runs if run.seed is not None and run.test is not None}


def per_user(runs: Runs, seeds: Sequence[int], metrics: Sequence[str]) -> PerUser:
    """Metric -> values of the runs of these seeds, in their order; seeds of one split are averaged."""
    tests = [test.values for seed in seeds if (test := runs[seed].test) is not None]
    values = {metric: np.stack([np.asarray(test[metric], dtype=np.float64) for test in tests]) for metric in metrics}
    splits = [runs[seed].split_seed or 0 for seed in seeds]
    if len(set(splits)) in (1, len(seeds)):
        return values
    # Seeds of one split share its luck: they are one replicate, not several.
    members = [np.flatnonzero(np.equal(splits, split)) for split in sorted(set(splits))]
    return {m: np.stack([each[rows].mean(axis=0) for rows in members]) for m, each in values.items()}


def require_same_users(one: RunRecord, other: RunRecord) -> None:
    """Refuse to pair runs of different users.

    Raises:
        UserError: the users differ.
    """
    if one.test is None or other.test is None or not np.array_equal(one.test.users, other.test.users):
        raise UserError(f"{one.folder} and {other.folder} were tested on different users, so they cannot be paired")

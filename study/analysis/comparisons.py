"""Comparisons on test, from a study's records to families of ``Comparison`` rows; ``stats/`` does the arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from sea_core.errors import UserError
from study.analysis.measurements import default_title, tuned_title
from study.analysis.stats.compare import compare_arms, compare_factorial
from study.analysis.stats.comparison import Comparison, correct_family
from study.records.arm_names import FULL, in_order
from study.records.study import RunRecord, Study

FACTORIAL_ARMS = (FULL, "no-club", "no-solosim", "no-both")

Runs = Mapping[int, RunRecord]  # seed -> run
PerUser = dict[str, Float[np.ndarray, "seeds users"]]  # metric -> values


class Comparisons(NamedTuple):
    """Every comparison of one or more studies; each attribute is one Holm family over all of them.

    Attributes:
        arms: each arm against ``full`` of the same study and mode, on the seeds that both finished. One seed gives a
            difference, but no interval and no p-value.
        baselines: the winner against each baseline, which has no seeds and is the same beside every one.
        factors: main effects of CLUB and Solosim and their interaction, where the four arms share seeds.
        tuning: the winner against the base configuration of its search, on the seeds that both finished.
    """

    arms: tuple[Comparison, ...]
    baselines: tuple[Comparison, ...]
    factors: tuple[Comparison, ...]
    tuning: tuple[Comparison, ...] = ()


def compare(studies: Sequence[Study], metrics: Sequence[str]) -> Comparisons:
    """Compare everything that the studies can answer, on these metrics.

    Raises:
        UserError: an arm was tested on other users than ``full``, or a baseline on others than the winner.
    """
    return as_one_family([compare_study(study, metrics) for study in studies], metrics)


def compare_study(study: Study, metrics: Sequence[str]) -> Comparisons:
    """One study by itself; otherwise as ``compare``."""
    found = (_arms(study, metrics), _baselines(study, metrics), _factors(study, metrics), _tuning(study, metrics))
    return Comparisons(*(tuple(correct_family(rows)) for rows in found))


def as_one_family(parts: Sequence[Comparisons], metrics: Sequence[str]) -> Comparisons:
    """Join the comparisons of several studies, on those of their metrics that are named, and correct them again."""
    if len(parts) == 1 and all(row.metric in metrics for family in parts[0] for row in family):
        return parts[0]
    joined = ([row for part in family for row in part if row.metric in metrics] for family in zip(*parts, strict=True))
    return Comparisons(*(tuple(correct_family(rows)) for rows in joined))


def to_frame(rows: Iterable[Comparison]) -> pd.DataFrame:
    """The rows as a table, one column a field, for a CSV."""
    return pd.DataFrame(list(rows), columns=list(Comparison._fields))


def stars(p: float) -> str:
    """``***`` below .001, ``**`` below .01, ``*`` below .05, nothing otherwise or if there is no p-value."""
    return "*" * sum(p < level for level in (0.05, 0.01, 0.001))


def _arms(study: Study, metrics: Sequence[str]) -> list[Comparison]:
    rows = []
    for mode, arms in _arms_by_mode(study).items():
        full = arms.get(FULL, {})
        paired: dict[tuple[int, ...], list[str]] = {}  # arms that failed on a seed are compared on the others
        for arm, runs in arms.items():
            if arm != FULL and (seeds := tuple(sorted(runs.keys() & full.keys()))):
                _require_same_users(full[seeds[0]], runs[seeds[0]])
                paired.setdefault(seeds, []).append(arm)
        for seeds, names in paired.items():
            values = {name: _per_user(arms[name], seeds, metrics) for name in (FULL, *names)}
            rows += _labelled(study, mode, compare_arms(values, reference=FULL, rng=_generator()))
    return rows


def _baselines(study: Study, metrics: Sequence[str]) -> list[Comparison]:
    rows = []
    winner = _tested(study.winner)
    for baseline in study.baselines if winner else ():
        seeds, name = sorted(winner), str(baseline.baseline)
        _require_same_users(winner[seeds[0]], baseline)
        same = _per_user(dict.fromkeys(seeds, baseline), seeds, metrics)
        values = {name: same, "SEA": _per_user(winner, seeds, metrics)}
        rows += _labelled(study, "", compare_arms(values, reference=name, rng=_generator()))
    return rows


def _tuning(study: Study, metrics: Sequence[str]) -> list[Comparison]:
    tuned, default = _tested(study.winner), _tested(study.default)
    seeds = sorted(tuned.keys() & default.keys())
    if not seeds:
        return []
    _require_same_users(default[seeds[0]], tuned[seeds[0]])
    reference = default_title(study)
    values = {
        reference: _per_user(default, seeds, metrics),
        tuned_title(study): _per_user(tuned, seeds, metrics),
    }
    return _labelled(study, "", compare_arms(values, reference=reference, rng=_generator()))


def _tested(runs: Iterable[RunRecord]) -> dict[int, RunRecord]:
    """Seed -> run, of those with test results."""
    return {run.seed: run for run in runs if run.seed is not None and run.test is not None}


def _factors(study: Study, metrics: Sequence[str]) -> list[Comparison]:
    rows = []
    for mode, arms in _arms_by_mode(study).items():
        runs = [arms.get(arm, {}) for arm in FACTORIAL_ARMS]
        seeds = sorted(set.intersection(*(set(by_seed) for by_seed in runs)))
        if seeds:
            values = {a: _per_user(arms[a], seeds, metrics) for a in FACTORIAL_ARMS}
            rows += _labelled(study, mode, compare_factorial(values, rng=_generator()))
    return rows


def _labelled(study: Study, mode: str, rows: Iterable[Comparison]) -> list[Comparison]:
    return [row._replace(study=study.name, mode=mode, dataset=study.dataset) for row in rows]


def _arms_by_mode(study: Study) -> dict[str, dict[str, Runs]]:
    """Mode -> arm -> seed -> run, of the runs that have test results; arms in the order of tables."""
    found: dict[str, dict[str, dict[int, RunRecord]]] = {}
    for run in study.ablations:
        if run.seed is not None and run.test is not None:
            found.setdefault(str(run.mode), {}).setdefault(str(run.arm), {})[run.seed] = run
    return {mode: {arm: arms[arm] for arm in in_order(arms)} for mode, arms in found.items()}


def _per_user(runs: Runs, seeds: Sequence[int], metrics: Sequence[str]) -> PerUser:
    tests = [test.values for seed in seeds if (test := runs[seed].test) is not None]
    return {metric: np.stack([np.asarray(test[metric], dtype=np.float64) for test in tests]) for metric in metrics}


def _require_same_users(one: RunRecord, other: RunRecord) -> None:
    if one.test is None or other.test is None or not np.array_equal(one.test.users, other.test.users):
        raise UserError(f"{one.folder} and {other.folder} were tested on different users, so they cannot be paired")


def _generator() -> np.random.Generator:
    """The same for each comparison: a table that is computed twice must not change."""
    return np.random.default_rng(0)

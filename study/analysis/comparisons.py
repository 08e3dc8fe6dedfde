"""Comparisons on test, from a study's records to families of ``Comparison`` rows; ``stats/`` does the arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from sea_core.errors import UserError
from study.analysis.stats.compare import compare_arms, compare_factorial
from study.analysis.stats.comparison import Comparison, correct_family
from study.records.arm_names import FULL, in_order
from study.records.study import RunRecord, Study

FACTORIAL_ARMS = (FULL, "no-club", "no-solosim", "no-both")
COLUMNS = ("study", "mode", *Comparison._fields)

Runs = Mapping[int, RunRecord]  # seed -> run
PerUser = dict[str, Float[np.ndarray, "seeds users"]]  # metric -> values


def compare_with_full(studies: Sequence[Study], metrics: Sequence[str]) -> pd.DataFrame:
    """Each arm against ``full`` of the same study and mode, on the seeds that both finished; all rows are one family.

    Returns:
        ``COLUMNS``, one row per comparison. One seed gives a difference, but no interval and no p-value.

    Raises:
        UserError: an arm was tested on other users than ``full``.
    """
    rows = []
    for study in studies:
        for mode, arms in _arms_by_mode(study).items():
            full = arms.get(FULL, {})
            paired: dict[tuple[int, ...], list[str]] = {}  # arms that failed on a seed are compared on the others
            for arm, runs in arms.items():
                if arm != FULL and (seeds := tuple(sorted(runs.keys() & full.keys()))):
                    _require_same_users(full[seeds[0]], runs[seeds[0]])
                    paired.setdefault(seeds, []).append(arm)
            for seeds, names in paired.items():
                values = {name: _per_user(arms[name], seeds, metrics) for name in (FULL, *names)}
                compared = compare_arms(values, reference=FULL, rng=_generator(), dataset=study.dataset)
                rows += [(study.name, mode, row) for row in compared]
    return _as_family(rows)


def compare_with_baselines(studies: Sequence[Study], metrics: Sequence[str]) -> pd.DataFrame:
    """The winner against each baseline, which has no seeds and is the same beside every one; all rows are one family.

    Raises:
        UserError: a baseline was tested on other users than the winner.
    """
    rows = []
    for study in studies:
        winner = {run.seed: run for run in study.winner if run.seed is not None and run.test is not None}
        for baseline in study.baselines if winner else ():
            seeds, name = sorted(winner), str(baseline.baseline)
            _require_same_users(winner[seeds[0]], baseline)
            same = _per_user(dict.fromkeys(seeds, baseline), seeds, metrics)
            values = {name: same, "SEA": _per_user(winner, seeds, metrics)}
            compared = compare_arms(values, reference=name, rng=_generator(), dataset=study.dataset)
            rows += [(study.name, "", row) for row in compared]
    return _as_family(rows)


def compare_factors(studies: Sequence[Study], metrics: Sequence[str]) -> pd.DataFrame:
    """Main effects of CLUB and Solosim and their interaction, where the four arms share seeds; one family."""
    rows = []
    for study in studies:
        for mode, arms in _arms_by_mode(study).items():
            runs = [arms.get(arm, {}) for arm in FACTORIAL_ARMS]
            seeds = sorted(set.intersection(*(set(by_seed) for by_seed in runs)))
            if seeds:
                values = {a: _per_user(arms[a], seeds, metrics) for a in FACTORIAL_ARMS}
                compared = compare_factorial(values, rng=_generator(), dataset=study.dataset)
                rows += [(study.name, mode, row) for row in compared]
    return _as_family(rows)


def stars(p: float) -> str:
    """``***`` below .001, ``**`` below .01, ``*`` below .05, nothing otherwise or if there is no p-value."""
    return "*" * sum(p < level for level in (0.05, 0.01, 0.001))


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


def _as_family(rows: Sequence[tuple[str, str, Comparison]]) -> pd.DataFrame:
    corrected = correct_family([row for _, _, row in rows])
    lines = [(study, mode, *row) for (study, mode, _), row in zip(rows, corrected, strict=True)]
    return pd.DataFrame(lines, columns=list(COLUMNS))

"""One row of a statistics table, and what a whole family of rows decides: corrected p-values, power, verdicts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from study.analysis.stats.crossed import Components
from study.analysis.stats.family import holm
from study.analysis.stats.power import minimum_detectable_effect

Verdict = Literal["better", "worse", "equivalent", "undecided", "underpowered"]

ALPHA = 0.05
POWER = 0.8


class Comparison(NamedTuple):
    """One row of a statistics table; ``pandas.DataFrame(rows)`` makes the table. NaN where nothing can be said.

    Attributes:
        study, mode: where the runs are from (``frozen``, ``retuned`` or empty); set by whoever reads records.
        dataset, metric, arm, reference: what is compared with what.
        reference_mean, arm_mean: means over seeds and users; for a factorial effect its off and on levels.
        difference: ``arm_mean - reference_mean``; ``relative`` is over ``reference_mean``.
        low, high: uncorrected 95 % interval of ``difference`` (crossed users and seeds).
        p, p_holm: two-sided p-value, and corrected over the whole family.
        effect_size: difference over the sd of one user's difference in one seed.
        standard_error, df: of ``difference``; ``df`` is Satterthwaite's.
        sd_user, sd_seed, sd_residual: square roots of the variance components.
        users, seeds: size of the comparison.
        users_alone: half the width that the interval would have if seeds had no effect of their own.
        narrow: the interval is narrower than that, because the seeds agreed; believe the row less than its p says.
        bootstrap_low, bootstrap_high: the same interval by hierarchical bootstrap, as a check.
        margin: largest difference that is called equivalent, in units of the metric.
        p_equivalent: TOST p-value, Holm-corrected over the family's equivalence tests.
        mde: smallest difference that would have been significant with 80 % power at the family's first Holm step.
        verdict: better or worse (``p_holm < 0.05``), else equivalent (``p_equivalent < 0.05``), else underpowered
            (``mde > margin``: the design could not have found a difference that matters), else undecided.
        note: what cannot be said, and why; empty if all can.
    """

    study: str
    mode: str
    dataset: str
    metric: str
    arm: str
    reference: str
    reference_mean: float
    arm_mean: float
    difference: float
    relative: float
    low: float
    high: float
    p: float
    p_holm: float
    effect_size: float
    standard_error: float
    df: float
    sd_user: float
    sd_seed: float
    sd_residual: float
    users: int
    seeds: int
    users_alone: float
    narrow: bool
    bootstrap_low: float
    bootstrap_high: float
    margin: float
    p_tost: float
    p_equivalent: float
    mde: float
    verdict: Verdict
    note: str


def correct_family(rows: Sequence[Comparison]) -> list[Comparison]:
    """Correct all rows as one family again: use it on the rows of several datasets or several calls, joined.

    Sets ``p_holm``, ``p_equivalent``, ``mde`` and ``verdict``.
    """
    p_holm = holm(np.array([row.p for row in rows], dtype=np.float64))
    p_equivalent = holm(np.array([row.p_tost for row in rows], dtype=np.float64))
    said = max(1, sum(not math.isnan(row.p) for row in rows))
    corrected = []
    for row, p, p_same in zip(rows, p_holm, p_equivalent, strict=True):
        mde = math.nan
        if not math.isnan(row.p):
            components = Components(row.sd_user**2, row.sd_seed**2, row.sd_residual**2)
            mde = minimum_detectable_effect(
                components, seeds=row.seeds, users=row.users, alpha=ALPHA / said, power=POWER
            )
        row = row._replace(p_holm=float(p), p_equivalent=float(p_same), mde=mde)
        corrected.append(row._replace(verdict=_verdict(row)))
    return corrected


def _verdict(row: Comparison) -> Verdict:
    if row.p_holm < ALPHA:
        return "better" if row.difference > 0 else "worse"
    if row.p_equivalent < ALPHA:
        return "equivalent"
    # NaN compares false: a row about which nothing can be said is underpowered.
    return "undecided" if row.mde <= row.margin else "underpowered"

"""One row of a statistics table, and the verdicts of families of rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from study.analysis.stats.contrasts import Evidence, Kind, judge
from study.analysis.stats.crossed import Components
from study.analysis.stats.power import minimum_detectable_effect

Verdict = Kind

ALPHA = 0.05
POWER = 0.8

# Verdicts that say nothing about the difference.
OPEN: tuple[Verdict, ...] = ("undecided", "user-limited", "descriptive")


class Comparison(NamedTuple):
    """One row of a statistics table; ``pandas.DataFrame(rows)`` makes the table. NaN where nothing can be said.

    Attributes:
        study, mode: where the runs are from (``frozen``, ``retuned`` or empty); set by whoever reads records.
        dataset, metric, arm, reference: what is compared with what.
        reference_mean, arm_mean: means over seeds and users; for a factorial effect its off and on levels.
        difference: ``arm_mean - reference_mean``; ``relative`` is over ``reference_mean``.
        low, high: 95 % interval of ``difference`` by itself (crossed users and seeds, moderated variance).
        p: two-sided p-value by itself; ``p_unmoderated`` is the same with this row's seeds alone.
        p_adjusted: smallest level of all verdicts of its graph together at which better or worse could be said.
        effect_size: difference over the sd of one user's value in one seed.
        standard_error, df: of ``difference``; ``df`` is that of its seeds' part.
        sd_user, sd_seed, sd_residual: square roots of the variance components.
        users, seeds: size of the comparison.
        users_alone: half the width that the interval would have if seeds had no effect of their own.
        bootstrap_low, bootstrap_high: the same interval by hierarchical bootstrap, as a check.
        margin: largest difference that does not matter, in units of the metric.
        p_noninferior, p_equivalent: as ``p_adjusted``, for these verdicts.
        sim_low, sim_high: bounds that hold for all rows of the graph together in 95 % of studies.
        mde: smallest difference that the row finds with 80 % power once its family has all of the level.
        family: in which the level is shared (``primary``, ``rivals``, ...); rows outside of every graph have none.
        gate: ``open`` if any of the level reached the row, else ``closed``.
        look: seeds after which the verdict was reached; all of them if there was one look.
        within_margin: of better and worse, whether the difference is also shown to be smaller than the margin.
        verdict: see ``contrasts.Verdict``.
        note: what cannot be said, and why; empty if all can.
        searches: of re-tuned arms, independent searches of each that the interval takes as a sample; else 1.
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
    p_unmoderated: float
    p_adjusted: float
    effect_size: float
    standard_error: float
    df: float
    sd_user: float
    sd_seed: float
    sd_residual: float
    users: int
    seeds: int
    users_alone: float
    bootstrap_low: float
    bootstrap_high: float
    margin: float
    p_noninferior: float
    p_equivalent: float
    sim_low: float
    sim_high: float
    mde: float
    family: str
    gate: str
    look: int
    within_margin: bool
    verdict: Verdict
    note: str
    searches: int = 1


class Family(NamedTuple):
    """Rows that share a level, by their index; the level comes from the family before it."""

    name: str
    rows: Sequence[int]


def judge_rows(
    rows: Sequence[Comparison],
    evidence: Sequence[Sequence[Evidence]],
    families: Sequence[Family],
    *,
    most_seeds: int,
) -> list[Comparison]:
    """Give every row its verdict, family, gate, simultaneous bounds and smallest difference that it could find.

    Args:
        rows: as ``describe`` made them.
        evidence: per row, its looks.
        families: of one alpha graph, in the order in which the level passes; empty ones are left out.
        most_seeds: of the design, as in ``judge``.

    Rows that no family names are descriptive; where the reference is zero there is no margin and no verdict.
    """
    present = [family for family in families if family.rows]
    order = [row for family in present for row in family.rows]
    names = [family.name for family in present for _ in family.rows]
    verdicts = (
        judge(
            [evidence[row] if rows[row].margin > 0 else [] for row in order],
            [len(f.rows) for f in present],
            most_seeds=most_seeds,
            alpha=ALPHA,
        )
        if present
        else []
    )
    sizes = {family.name: len(family.rows) for family in present}
    judged = [row._replace(verdict="descriptive", gate="closed", mde=_mde(row, 1)) for row in rows]
    for index, name, verdict in zip(order, names, verdicts, strict=True):
        judged[index] = rows[index]._replace(
            p_adjusted=verdict.p,
            p_noninferior=verdict.p_margin,
            p_equivalent=verdict.p_equivalent,
            sim_low=verdict.low,
            sim_high=verdict.high,
            mde=_mde(rows[index], sizes[name]),
            family=name,
            gate="closed" if verdict.kind == "descriptive" else "open",
            look=verdict.seeds,
            within_margin=verdict.within_margin,
            verdict=verdict.kind,
        )
    return judged


def _mde(row: Comparison, comparisons: int) -> float:
    if math.isnan(row.p):
        return math.nan
    components = Components(row.sd_user**2, row.sd_seed**2, row.sd_residual**2)
    return minimum_detectable_effect(
        components, seeds=row.seeds, users=row.users, alpha=ALPHA / comparisons, power=POWER, df=int(row.df)
    )

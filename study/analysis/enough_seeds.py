"""How many seeds would let a comparison find a difference that matters: what a reader of an open verdict asks next."""

from __future__ import annotations

import math

from study.analysis.stats.comparison import ALPHA, POWER, Comparison
from study.analysis.stats.crossed import Components
from study.analysis.stats.power import minimum_detectable_effect

# Round numbers: the variances of a few seeds do not tell 19 from 21. More than the last nobody would train.
STEPS = (3, 5, 8, 10, 15, 20, 30, 50, 100, 200)


def enough_seeds(line: Comparison, *, comparisons: int) -> int | None:
    """The first of ``STEPS`` with which the margin would be found with 80 % power.

    Args:
        line: its variance components are taken as true.
        comparisons: size of the family that shares the level.

    Returns:
        None where even the most seeds are too few, as users differ too much, or where the variances are unknown.
    """
    components = Components(line.sd_user**2, line.sd_seed**2, line.sd_residual**2)
    if math.isnan(components.total):
        return None
    users, alpha = line.users, ALPHA / max(1, comparisons)
    for seeds in STEPS:
        effect = minimum_detectable_effect(components, seeds=seeds, users=users, alpha=alpha, power=POWER)
        if effect <= line.margin:
            return seeds
    return None

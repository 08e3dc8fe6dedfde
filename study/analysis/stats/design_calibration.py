"""Errors of two designs beside the usual one: arms that are searched several times, and a reference with more seeds."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from study.analysis.stats.behrens_fisher import tail_probability
from study.analysis.stats.contrasts import Evidence
from study.analysis.stats.evidence import gather_evidence
from study.analysis.stats.extra_reference import add_reference_variance, joint_base, share_reference
from study.analysis.stats.searches import searched_effect

ALPHA = 0.05
_SEED_SD = 0.1  # of a run's mean; a user's values have an sd of 1, and single runs add 1/3 to that


class DesignErrors(NamedTuple):
    """False positives of single contrasts at 5 %.

    Attributes:
        rate: share of true nulls that are rejected.
        standard_error: mean over the replicates, in units of a user's sd.
    """

    rate: float
    standard_error: float


def search_errors(
    *, searches: int, between: float, seeds: int, users: int, replicates: int, rng: np.random.Generator
) -> DesignErrors:
    """Two arms that choose equally well: every search chooses something of its own, and no arm is better.

    Args:
        searches: of each arm.
        between: sd of what searches choose, in sds of a seed.
        seeds, users: of every chosen configuration.
        replicates: how many pairs of arms.
        rng: draws them.
    """
    wrong, errors = 0, []
    for _ in range(replicates):
        sides = []
        common = rng.standard_normal((1, seeds, 1))
        for _ in range(2):
            chosen = between * _SEED_SD * rng.standard_normal((searches, 1, 1))
            luck = _SEED_SD * (common + rng.standard_normal((searches, seeds, 1))) / math.sqrt(2)
            sides.append(chosen + luck + rng.standard_normal((searches, seeds, users)) / 3)
        effect = searched_effect(sides[0] - sides[1])
        freedom = {"df": effect.df, "user_df": users - 1}
        p = tail_probability(abs(effect.mean), effect.user_variance, effect.seed_variance, **freedom)
        wrong += bool(p < ALPHA)
        errors.append(math.sqrt(effect.user_variance + effect.seed_variance))
    return DesignErrors(wrong / replicates, float(np.mean(errors)))


def extra_seed_errors(
    *, correlation: float, seeds: int, more: int, users: int, replicates: int, rng: np.random.Generator
) -> DesignErrors:
    """Three arms that do not differ from their reference, which has ``more`` seeds of its own.

    Args:
        correlation: of two arms on one seed.
        seeds: of the arms.
        more: of the reference alone; 0 for none.
        users: of every run.
        replicates: how many families.
        rng: draws them.
    """
    wrong, errors = [], []
    for _ in range(replicates):
        common = math.sqrt(correlation) * rng.standard_normal((1, seeds))
        own = common + math.sqrt(1 - correlation) * rng.standard_normal((4, seeds))
        runs = _SEED_SD * own[..., None] + rng.standard_normal((4, seeds, users)) / 3
        runs[1:] += 0.1 * rng.standard_normal((3, 1, users))  # what single users make of an arm
        extra = _SEED_SD * rng.standard_normal((more, 1)) + rng.standard_normal((more, users)) / 3
        for each in _with_extra(list(runs[1:]), runs[0], extra):
            freedom = {"df": each.df, "user_df": each.user_df}
            p = tail_probability(abs(each.mean), each.user_variance, each.seed_variance, **freedom)
            wrong.append(bool(p < ALPHA))
            errors.append(math.sqrt(each.user_variance + each.seed_variance))
    return DesignErrors(float(np.mean(wrong)), float(np.mean(errors)))


def _with_extra(
    arms: list[Float[np.ndarray, "seeds users"]],
    base: Float[np.ndarray, "seeds users"],
    extra: Float[np.ndarray, "more users"],
) -> list[Evidence]:
    margins = [1.0] * len(arms)
    if not len(extra):
        return gather_evidence([arm - base for arm in arms], margins)
    shared = share_reference(arms, [base] * len(arms), extra)
    joint = joint_base(base, extra, shared)
    return [add_reference_variance(each, shared) for each in gather_evidence([arm - joint for arm in arms], margins)]

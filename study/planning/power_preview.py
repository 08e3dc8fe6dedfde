"""Before spending: the smallest difference that a planned ablation can find, from variances that are known already."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from study.analysis.stats.comparison import ALPHA, POWER
from study.analysis.stats.crossed import Components, crossed_effect
from study.analysis.stats.power import minimum_detectable_effect
from study.records.arm_names import FULL
from study.records.study import RunRecord, Study


class PowerPreview(NamedTuple):
    """What a design can find with 80 % power.

    Attributes:
        metric: the search's.
        effect: smallest mean difference, in units of the metric.
        pilot: where the variances come from.
    """

    metric: str
    effect: float
    pilot: str


def preview_power(study: Study, *, seeds: int, comparisons: int) -> PowerPreview | None:
    """The smallest difference that ``seeds`` seeds can find, where ``comparisons`` primary contrasts share the level.

    The pilot is the paired validation difference of two finalists, which share seeds and users, or of two arms that ran
    already; the test split stays closed. None if the study has no such pair, or if one seed is planned.
    """
    pair = _pilot(study)
    if pair is None or seeds < 2:
        return None
    metric, label, difference = pair
    components: Components = crossed_effect(difference).components
    users = difference.shape[1]
    effect = minimum_detectable_effect(components, seeds=seeds, users=users, alpha=ALPHA / comparisons, power=POWER)
    return None if math.isnan(effect) else PowerPreview(metric, effect, label)


def power_line(study: Study | None, *, seeds: int, users: int, comparisons: int) -> str:
    """What a dry run says about power, also where nothing has run yet that could serve as a pilot.

    Args:
        study: with finalists, or earlier runs of arms; None if nothing has run.
        seeds, users: of the planned comparisons.
        comparisons: primary contrasts, which share the level.
    """
    if seeds < 2:
        return "power: one seed gives no interval and no test; two or more do"
    design = f"{seeds} seeds"
    preview = None if study is None else preview_power(study, seeds=seeds, comparisons=comparisons)
    if preview is not None:
        return (
            f"power: {design} find a difference of {preview.effect:.4f} in {preview.metric} with 80 % probability "
            f"(variances of {preview.pilot})"
        )
    # Without a pilot nothing is known of seeds; users alone bound from below what a comparison can find.
    alone = Components(user=1.0, seed=0.0, residual=0.0)
    least = minimum_detectable_effect(alone, seeds=seeds, users=users, alpha=ALPHA / comparisons, power=POWER)
    return (
        f"power: no pilot yet. If seeds changed nothing, {design} and {users} users would find an effect size d of "
        f"{least:.3f} with 80 % probability; they do, so it takes more. Finalists of a search, or the first arms, "
        "will tell"
    )


def _pilot(study: Study) -> tuple[str, str, Float[np.ndarray, "seeds users"]] | None:
    """Metric, name and values of the first difference on validation between two configs with two common seeds.

    Two finalists, else ``full`` and another arm that ran already.
    """
    metric = study.metric
    finalists = _by_seed((str(run.number), run) for run in study.finalists if run.number is not None)
    arms = _by_seed((str(run.arm), run) for run in study.runs(mode="frozen"))
    pairs = [("finalists", one, two) for one, two in itertools.pairwise(list(finalists)[:2])]
    pairs += [("arms", FULL, arm) for arm in arms if arm != FULL and FULL in arms]
    for kind, one, two in pairs:
        runs = finalists if kind == "finalists" else arms
        first, second = runs[one], runs[two]
        common = sorted(first.keys() & second.keys())
        if len(common) > 1:
            values = [np.stack([_values(side[seed], metric) for seed in common]) for side in (first, second)]
            return metric, f"{kind} {one} and {two} on validation", values[0] - values[1]
    return None


def _by_seed(runs: Iterable[tuple[str, RunRecord]]) -> dict[str, dict[int, RunRecord]]:
    """Name -> seed -> run, of the complete ones with per-user validation metrics."""
    by_arm: dict[str, dict[int, RunRecord]] = {}
    for name, run in runs:
        if run.state == "complete" and run.seed is not None and run.validation is not None:
            by_arm.setdefault(name, {})[run.seed] = run
    return by_arm


def _values(run: RunRecord, metric: str) -> Float[np.ndarray, " users"]:
    assert run.validation is not None
    return np.asarray(run.validation.values[metric], dtype=np.float64)

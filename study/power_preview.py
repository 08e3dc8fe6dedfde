"""Before spending: the smallest difference that a planned ablation can find, from variances that are known already."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from study.records import RunRecord, Study
from study.stats.comparison import ALPHA, POWER
from study.stats.crossed import Components, crossed_effect
from study.stats.power import minimum_detectable_effect


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
    """The smallest difference that ``seeds`` seeds can find, at the first step of Holm over ``comparisons``.

    The pilot is the paired validation difference of two finalists, which share seeds and users; the test split stays
    closed. None if the study has no such pair, or if one seed is planned.
    """
    pair = _pilot(study)
    if pair is None or seeds < 2:
        return None
    metric, label, difference = pair
    components: Components = crossed_effect(difference).components
    users = difference.shape[1]
    effect = minimum_detectable_effect(components, seeds=seeds, users=users, alpha=ALPHA / comparisons, power=POWER)
    return None if math.isnan(effect) else PowerPreview(metric, effect, label)


def _pilot(study: Study) -> tuple[str, str, Float[np.ndarray, "seeds users"]] | None:
    """Metric, name and values of the difference between the first two finalists with two common seeds."""
    runs: dict[int, dict[int, RunRecord]] = {}
    for run in study.finalists:
        if run.state == "complete" and run.number is not None and run.seed is not None:
            runs.setdefault(run.number, {})[run.seed] = run
    if len(runs) < 2:
        return None
    (one, first), (two, second) = list(runs.items())[:2]
    common = sorted(first.keys() & second.keys())
    metric = str(study.identity.get("metric", "recall@20"))
    if len(common) < 2:
        return None
    values = [np.stack([_values(side[seed], metric) for seed in common]) for side in (first, second)]
    return metric, f"finalists {one} and {two} on validation", values[0] - values[1]


def _values(run: RunRecord, metric: str) -> Float[np.ndarray, " users"]:
    assert run.validation is not None
    return np.asarray(run.validation.values[metric], dtype=np.float64)

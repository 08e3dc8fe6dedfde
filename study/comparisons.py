"""Every arm against the full model: paired per-user differences, their uncertainty, and p-values corrected together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from sea_core.errors import UserError
from study.arms import FULL
from study.records import RunRecord, Study
from study.stats.crossed import crossed_effect
from study.stats.family import holm

COLUMNS = ["study", "dataset", "mode", "arm", "metric", "full", "difference", "low", "high", "p", "p_holm"]
COLUMNS += ["effect_size", "standard_error", "seeds", "users"]


def compare_with_full(studies: Sequence[Study], metrics: Sequence[str], *, alpha: float = 0.05) -> pd.DataFrame:
    """Compare each arm with ``full`` of the same study and mode, on the seeds that both finished.

    ``difference`` is arm minus full, with its ``1 - alpha`` interval for users and seeds like these. ``p_holm`` is
    corrected over all rows: metrics x arms x modes x studies. One seed gives a difference, but no interval and no p.

    Raises:
        UserError: an arm was tested on other users than ``full``.
    """
    lines = []
    for study in studies:
        for mode, arm, pairs in _pairs(study):
            for metric in metrics:
                full, other = (np.stack([_values(run, metric) for run in side]) for side in zip(*pairs, strict=True))
                effect = crossed_effect(other - full, alpha=alpha)
                numbers = (full.mean(), effect.mean, effect.low, effect.high, effect.p, np.nan, effect.effect_size)
                lines.append(
                    (study.name, study.dataset, mode, arm, metric, *numbers, effect.standard_error, *full.shape)
                )
    frame = pd.DataFrame(lines, columns=COLUMNS)
    frame["p_holm"] = holm(frame["p"].to_numpy(np.float64))
    return frame


def stars(p: float) -> str:
    """``***`` below .001, ``**`` below .01, ``*`` below .05, nothing otherwise or if there is no p-value."""
    return "*" * sum(p < level for level in (0.05, 0.01, 0.001))


def _pairs(study: Study) -> Iterator[tuple[str, str, list[tuple[RunRecord, RunRecord]]]]:
    """Mode, arm and its runs beside those of ``full`` on the same seeds; an arm without any such pair is left out."""
    runs = {(run.mode, run.arm, run.seed): run for run in study.ablations if run.state == "complete"}
    for mode, arm in dict.fromkeys((mode, arm) for mode, arm, _ in runs if arm != FULL):
        seeds = sorted(seed for m, a, seed in runs if (m, a) == (mode, arm) and seed is not None)
        pairs = [(runs[mode, FULL, seed], runs[mode, arm, seed]) for seed in seeds if (mode, FULL, seed) in runs]
        for full, other in pairs:
            _require_same_users(full, other)
        if pairs:
            yield str(mode), str(arm), pairs


def _values(run: RunRecord, metric: str) -> Float[np.ndarray, " users"]:
    assert run.test is not None
    return np.asarray(run.test.values[metric], dtype=np.float64)


def _require_same_users(full: RunRecord, other: RunRecord) -> None:
    if full.test is None or other.test is None:
        raise UserError(f"{(full if full.test is None else other).folder} has no test results; run the ablation again")
    if not np.array_equal(full.test.users, other.test.users):
        raise UserError(f"{full.folder} and {other.folder} were tested on different users, so they cannot be paired")

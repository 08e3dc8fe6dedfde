"""The A/A check, on simulated runs where its answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from study.analysis.stats.aa_calibration import aa_rates, pipeline_rates, thin_hits


def recall(runs: int, users: int, *, seed_sd: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Per-user recall of runs of one configuration, and each user's number of relevant items."""
    rng = np.random.default_rng(0)
    relevant = rng.integers(1, 6, users)
    ability = rng.normal(-0.5, 1.0, users) + seed_sd * rng.standard_normal((runs, 1))
    hits = rng.binomial(relevant, 1 / (1 + np.exp(-ability)))
    return hits / relevant, relevant


def test_copies_are_told_apart_as_often_as_they_should() -> None:
    values, _ = recall(24, 400, seed_sd=0.05)
    rates = aa_rates(values, seeds=5, splits=400, rng=np.random.default_rng(1))
    assert 0.0 < rates.rate < 0.12
    assert 0.0 < rates.error < 0.06
    assert (rates.runs, rates.splits) == (24, 400)
    assert rates.coverage == 1 - rates.rate
    assert 0.0 <= rates.equivalence <= 0.12
    # Two groups of five runs: half-width about t(.975, 4 or more) standard errors of their difference.
    error = np.sqrt(2 / 5) * values.mean(axis=1).std(ddof=1)
    assert 1.9 * error < rates.half_width < 3.5 * error
    assert rates.mde * rates.mean > rates.half_width


def test_runs_that_are_no_copies_are_told_apart_too_often() -> None:
    values, _ = recall(24, 400)
    values[:12] *= 0.9  # half of them lost a tenth: dealt at random they still differ by the deal alone ...
    mixed = aa_rates(values, seeds=5, splits=300, rng=np.random.default_rng(2))
    assert mixed.error > 0.005  # ... and the jackknife knows that these runs are not alike
    with pytest.raises(ValueError, match="need 11, got 10"):
        aa_rates(values[:10], seeds=5, splits=1, rng=np.random.default_rng(2))


def test_a_thinned_arm_loses_its_share_and_is_found() -> None:
    values, relevant = recall(45, 500)
    rng = np.random.default_rng(3)
    assert thin_hits(relevant, 0.25)(values, rng).mean() == pytest.approx(0.75 * values.mean(), rel=0.01)
    planted = pipeline_rates(values, seeds=5, splits=8, rng=rng, change=thin_hits(relevant, 0.25), loss=0.25)
    assert planted.found == 1.0
    assert planted.false_claim <= 0.25
    nothing = pipeline_rates(values, seeds=5, splits=8, rng=rng)
    assert math.isnan(nothing.found)
    assert nothing.false_claim <= 0.25
    assert pipeline_rates(values, seeds=10, splits=2, rng=rng, families=(3,)).arms == 3
    with pytest.raises(ValueError, match="need 54, got 45"):
        pipeline_rates(values, seeds=6, splits=1, rng=rng)

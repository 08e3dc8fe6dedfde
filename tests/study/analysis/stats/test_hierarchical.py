"""The hierarchical model over datasets."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from study.analysis.stats.hierarchical import FREEDOM, TAU_SCALES, next_dataset


def brute_force(effects: np.ndarray, errors: np.ndarray, margin: float, scale: float) -> tuple[float, float]:
    """P(worse) and P(better) by drawing from the prior and weighting: the slow obvious version."""
    rng = np.random.default_rng(0)
    draws = 2_000_000
    mu = rng.uniform(-0.3, 0.3, draws)
    tau = np.abs(rng.standard_normal(draws)) * scale
    weight = np.ones(draws)
    for effect, error in zip(effects, errors, strict=True):
        theta = mu + tau * rng.standard_t(FREEDOM, draws)
        weight *= stats.norm.pdf(effect, theta, error)
    following = mu + tau * rng.standard_t(FREEDOM, draws)
    weight /= weight.sum()
    return float(weight @ (following < -margin)), float(weight @ (following > margin))


def test_it_equals_weighted_draws_from_the_prior() -> None:
    effects, errors = np.array([-0.03, -0.01, 0.02]), np.array([0.02, 0.03, 0.025])
    posterior = next_dataset(effects, errors, margin=0.02, tau_scale=0.02)
    worse, better = brute_force(effects, errors, 0.02, 0.02)
    assert posterior.worse == pytest.approx(worse, abs=0.01)
    assert posterior.better == pytest.approx(better, abs=0.01)
    assert posterior.worse + posterior.inside + posterior.better == pytest.approx(1.0)


def test_one_dataset_and_next_to_no_heterogeneity_is_a_normal_posterior() -> None:
    posterior = next_dataset(np.array([0.01]), np.array([0.02]), margin=0.02, tau_scale=1e-5)
    assert posterior.mean == pytest.approx(0.01, abs=1e-4)
    assert posterior.worse == pytest.approx(stats.norm.cdf(-0.02, 0.01, 0.02), abs=2e-3)
    assert posterior.better == pytest.approx(stats.norm.sf(0.02, 0.01, 0.02), abs=2e-3)


def test_the_posterior_of_tau_without_evidence_is_its_prior() -> None:
    posterior = next_dataset(np.array([0.0]), np.array([0.5]), margin=0.02, tau_scale=0.02)
    prior, _ = integrate.quad(lambda tau: tau * stats.halfnorm.pdf(tau, scale=0.02), 0, 1)
    assert posterior.tau == pytest.approx(prior, rel=0.03)


def test_agreeing_datasets_decide_and_scales_matter_less_the_more_there_are() -> None:
    few = [next_dataset(np.full(2, -0.05), np.full(2, 0.01), tau_scale=scale).worse for scale in TAU_SCALES]
    many = [next_dataset(np.full(12, -0.05), np.full(12, 0.01), tau_scale=scale).worse for scale in TAU_SCALES]
    assert few[0] > few[1] > few[2]
    assert max(many) - min(many) < max(few) - min(few)
    assert min(many) > 0.9


def test_what_cannot_be_pooled_is_refused() -> None:
    with pytest.raises(ValueError, match="positive error"):
        next_dataset(np.array([0.1]), np.array([0.0]))
    with pytest.raises(ValueError, match="tau_scale > 0"):
        next_dataset(np.array([0.1]), np.array([0.1]), tau_scale=0.0)

"""Which candidates may be the best."""

from __future__ import annotations

import numpy as np
import pytest

from study.analysis.stats.best_set import model_confidence_set


def losses() -> np.ndarray:
    """The very numbers that were given to arch."""
    rng = np.random.default_rng(3)
    noise = rng.standard_normal((400, 1)) + rng.standard_normal((400, 6)) * 0.8
    return np.asarray(noise + np.array([0, 0.03, 0.06, 0.15, 0.2, 0.3]))


def test_it_equals_arch() -> None:
    # arch 8.0.0: MCS(losses, size=0.05, method="max", reps=20000, bootstrap="stationary", block_size=1), compute().
    best_set = model_confidence_set(-losses().T[:, None, :], rng=np.random.default_rng(0), resamples=20_000)
    assert best_set.p == pytest.approx([1.0, 0.40985, 0.40985, 0.06065, 0.01135, 0.01135], abs=0.005)
    assert best_set.inside.tolist() == [True, True, True, True, False, False]
    assert best_set.winner == 0


def test_the_best_is_in_the_set_as_often_as_promised_and_equals_stay() -> None:
    rng = np.random.default_rng(1)
    kept = []
    for _ in range(200):
        values = rng.standard_normal((4, 1, 60)) + np.array([0.0, 0.0, -0.2, -0.9])[:, None, None]
        kept.append(model_confidence_set(values, rng=rng, resamples=300).inside)
    inside = np.mean(kept, axis=0)
    assert (inside[:2] > 0.92).all()
    assert inside[3] < 0.05


def test_seeds_widen_the_set() -> None:
    rng = np.random.default_rng(2)
    users = rng.standard_normal((2, 1, 4000)) * 0.1
    seeds = np.array([[0.3, -0.3, 0.2, -0.2, 0.0], [-0.2, 0.2, -0.3, 0.1, 0.0]])[:, :, None]
    values = users + seeds + np.array([0.0, -0.02])[:, None, None]
    alone = model_confidence_set(values.mean(axis=1, keepdims=True), rng=rng)
    together = model_confidence_set(values, rng=rng)
    assert alone.inside.tolist() == [True, False]
    assert together.inside.tolist() == [True, True]


def test_identical_candidates_stay_and_one_alone_is_the_best() -> None:
    rng = np.random.default_rng(3)
    one = rng.random((1, 1, 50))
    assert model_confidence_set(np.concatenate([one, one]), rng=rng, resamples=50).inside.all()
    assert model_confidence_set(one, rng=rng, resamples=50).p.tolist() == [1.0]
    # The same values a little lower everywhere: no noise, so it is worse for certain.
    assert model_confidence_set(np.concatenate([one, one - 0.1]), rng=rng, resamples=50).inside.tolist() == [
        True,
        False,
    ]


def test_values_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="finite values"):
        model_confidence_set(np.full((2, 1, 5), np.nan), rng=np.random.default_rng(0))

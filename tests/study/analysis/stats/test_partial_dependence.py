"""The surrogate behind sensitivity: what it finds of a planted function, and when it admits that it found nothing."""

from __future__ import annotations

import numpy as np
import pytest

from study.analysis.stats.partial_dependence import MOST, Surrogate

GRID = np.linspace(0.1, 0.9, 9)[:, None]


def planted(points: np.ndarray) -> np.ndarray:
    """Best at 0.3 of the first column, rising in the second, deaf to the third."""
    return 0.2 - 0.1 * (points[:, 0] - 0.3) ** 2 + 0.02 * points[:, 1]


@pytest.fixture(scope="module")
def surrogate() -> Surrogate:
    rng = np.random.default_rng(0)
    points = rng.random((40, 3))
    return Surrogate(points, planted(points) + rng.normal(0, 0.002, 40))


def test_it_finds_the_planted_curve_within_its_band(surrogate: Surrogate) -> None:
    curve = surrogate.dependence([0], GRID)
    true = -0.1 * (GRID[:, 0] - 0.3) ** 2
    shifted = true - true.mean() + curve.mean.mean()
    assert np.abs(curve.mean - shifted).max() < 0.003
    assert GRID[curve.mean.argmax(), 0] == pytest.approx(0.3, abs=0.11)
    assert ((curve.low <= shifted + 0.001) & (shifted - 0.001 <= curve.high)).all()
    assert surrogate.explained > 0.8


def test_a_parameter_without_effect_is_flat(surrogate: Surrogate) -> None:
    one, deaf = (surrogate.dependence([column], GRID) for column in (0, 2))
    assert np.ptp(deaf.mean) < 0.1 * np.ptp(one.mean)


def test_the_band_widens_where_no_trials_are() -> None:
    rng = np.random.default_rng(1)
    points = np.column_stack([rng.random(30) * 0.4, rng.random(30)])
    band = Surrogate(points, planted(points) + rng.normal(0, 0.002, 30)).dependence([0], np.array([[0.2], [1.0]]))
    width = band.high - band.low
    assert width[1] > 3 * width[0]


def test_noise_is_not_explained() -> None:
    rng = np.random.default_rng(2)
    assert Surrogate(rng.random((30, 4)), rng.normal(size=30)).explained < 0.2


def test_it_scales_with_the_values() -> None:
    points = np.random.default_rng(3).random((20, 2))
    values = np.sin(3 * points[:, 0])
    one, other = (Surrogate(points, v).dependence([0], GRID) for v in (values, 5 + 0.01 * values))
    np.testing.assert_allclose(other.mean, 5 + 0.01 * one.mean, rtol=1e-6)


def test_of_many_trials_some_are_taken() -> None:
    points = np.random.default_rng(4).random((MOST + 57, 1))
    curve = Surrogate(points, points[:, 0]).dependence([0], np.array([[0.2], [0.8]]))
    np.testing.assert_allclose(curve.mean, [0.2, 0.8], atol=0.02)


@pytest.mark.parametrize(
    ("points", "values"),
    [
        (np.zeros((2, 1)), np.arange(2.0)),
        (np.zeros((4, 1)), np.ones(4)),
        (np.zeros((4, 1)), np.array([1, 2, np.nan, 3])),
        (np.full((4, 1), 1.5), np.arange(4.0)),
    ],
)
def test_what_cannot_be_fitted_is_refused(points: np.ndarray, values: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"three trials|must lie in"):
        Surrogate(points, values)

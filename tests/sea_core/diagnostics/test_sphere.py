"""Alignment, uniformity and angles."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import gamma, iv

from sea_core.diagnostics import sphere
from sea_core.diagnostics.angles import angle_distribution, random_cosine_density
from sea_core.diagnostics.sphere import alignment, uniformity


def test_alignment_of_equal_orthogonal_and_opposite_rows() -> None:
    x = np.array([[3.0, 0.0], [0.0, 0.5]])
    assert alignment(x, 7 * x) == 0.0
    assert alignment(x, x[::-1].copy()) == pytest.approx(2.0)
    assert alignment(x, -x) == pytest.approx(4.0)


def test_uniformity_of_three_points_by_hand() -> None:
    # Squared distances 2, 4 and 2: the mean of exp(-4), exp(-8) and exp(-4).
    x = np.array([[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0]])
    assert uniformity(x) == pytest.approx(math.log((2 * math.exp(-4) + math.exp(-8)) / 3))


def test_uniformity_of_random_directions_is_the_integral_over_the_sphere() -> None:
    dim, t = 8, 2.0
    expected = math.log(math.exp(-2 * t) * gamma(dim / 2) * t ** (1 - dim / 2) * iv(dim / 2 - 1, 2 * t))
    assert uniformity(np.random.default_rng(0).standard_normal((1500, dim))) == pytest.approx(expected, abs=0.01)


def test_collapsed_rows_have_uniformity_zero() -> None:
    assert uniformity(np.tile([1.0, 2.0], (5, 1))) == pytest.approx(0.0, abs=1e-12)


def test_blocks_do_not_change_uniformity(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(1).standard_normal((50, 3))
    whole = uniformity(x)
    monkeypatch.setattr(sphere, "_BLOCK", 7)
    assert uniformity(x) == pytest.approx(whole)


@pytest.mark.parametrize("dim", [2, 3, 4, 32])
def test_the_density_of_random_cosines_is_a_density_with_variance_one_over_dim(dim: int) -> None:
    angle = (np.arange(10_000) + 0.5) / 10_000 * math.pi
    cosine = np.cos(angle)
    weight = random_cosine_density(cosine, dim) * np.sin(angle) * math.pi / 10_000
    assert weight.sum() == pytest.approx(1.0, rel=1e-4)
    assert weight @ np.square(cosine) == pytest.approx(1 / dim, rel=1e-4)


def test_in_three_dimensions_random_cosines_are_uniform() -> None:
    assert random_cosine_density(np.array([-0.9, 0.0, 0.4]), 3) == pytest.approx([0.5, 0.5, 0.5])


def test_random_directions_follow_the_theory_and_learned_ones_do_not() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((2000, 32)), rng.standard_normal((2000, 32))
    random = angle_distribution(x, y)
    assert random.distance < 0.03
    assert random.sd == pytest.approx(random.random_sd, rel=0.05)
    orthogonal = y - (x * y).sum(axis=1, keepdims=True) / np.square(x).sum(axis=1, keepdims=True) * x
    assert angle_distribution(x, orthogonal).distance == pytest.approx(0.5, abs=0.02)
    assert angle_distribution(x, x + 0.1 * y).mean > 0.9


def test_a_row_without_direction_is_refused() -> None:
    x = np.ones((4, 3))
    x[1:3] = 0
    with pytest.raises(ValueError, match="2 of 4 rows are zero"):
        alignment(x, np.ones((4, 3)))


def test_angles_in_one_dimension_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 dimensions, got 1"):
        angle_distribution(np.ones((4, 1)), np.ones((4, 1)))

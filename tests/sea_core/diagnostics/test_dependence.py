"""Linear CKA and HSIC."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sea_core.diagnostics.dependence import linear_cka, rbf_hsic


def unbiased_hsic_reference(kernel_x: np.ndarray, kernel_y: np.ndarray) -> float:
    """The average over all ordered quadruples of distinct items, as HSIC is defined."""
    items, total, count = len(kernel_x), 0.0, 0
    for i, j, q, r in np.ndindex(items, items, items, items):
        if len({i, j, q, r}) == 4:
            total += kernel_x[i, j] * (kernel_y[i, j] + kernel_y[q, r] - 2 * kernel_y[i, q])
            count += 1
    return total / count


def test_cka_equals_its_definition_over_quadruples_of_items() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((7, 3)) + 2.0, rng.standard_normal((7, 2))
    kernel_x, kernel_y = x @ x.T, y @ y.T
    scale = unbiased_hsic_reference(kernel_x, kernel_x) * unbiased_hsic_reference(kernel_y, kernel_y)
    assert linear_cka(x, y) == pytest.approx(unbiased_hsic_reference(kernel_x, kernel_y) / scale**0.5, rel=1e-8)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.floats(0.01, 100))
def test_rotations_shifts_and_one_scale_leave_cka_at_one(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((30, 4))
    rotation = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    assert linear_cka(x, scale * (x @ rotation) + 5.0) == pytest.approx(1.0, rel=1e-6)


def test_independent_parts_score_zero_however_wide() -> None:
    rng = np.random.default_rng(1)
    dependence = [linear_cka(rng.standard_normal((60, 60)), rng.standard_normal((60, 60))) for _ in range(60)]
    assert abs(np.mean(dependence)) < 0.02


def test_hsic_finds_what_no_linear_measure_sees() -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((300, 1))
    y = np.square(x) + 0.1 * rng.standard_normal((300, 1))
    assert abs(linear_cka(x, y)) < 0.1
    dependence = rbf_hsic(x, y, rng=rng, permutations=200)
    assert dependence.p < 0.01
    assert dependence.hsic > 0.2


def test_hsic_rejects_independence_of_independent_parts_at_its_level() -> None:
    rng = np.random.default_rng(3)
    p = [
        rbf_hsic(rng.standard_normal((40, 3)), rng.standard_normal((40, 2)), rng=rng, permutations=39).p
        for _ in range(120)
    ]
    assert 0.01 < np.mean(np.array(p) <= 0.05) < 0.125


def test_hsic_of_independent_parts_is_zero_however_wide_and_has_no_p_unless_asked_for() -> None:
    rng = np.random.default_rng(6)
    dependence = [rbf_hsic(rng.standard_normal((60, 60)), rng.standard_normal((60, 40)), rng=rng) for _ in range(40)]
    assert abs(np.mean([each.hsic for each in dependence])) < 0.02
    assert all(np.isnan(each.p) for each in dependence)


def test_a_part_depends_on_itself_completely() -> None:
    x = np.random.default_rng(4).standard_normal((50, 3))
    assert rbf_hsic(x, 2 * x, rng=np.random.default_rng(5), permutations=19).hsic == pytest.approx(1.0)


def test_hsic_looks_at_no_more_items_than_told() -> None:
    x = np.random.default_rng(4).standard_normal((50, 3))
    assert rbf_hsic(x, x, rng=np.random.default_rng(5), most_items=20, permutations=9).items == 20


@pytest.mark.parametrize("x", [np.ones((10, 2)), np.ones((3, 2))])
def test_constant_or_too_few_rows_are_refused(x: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"vary over items|at least 4 items"):
        linear_cka(x, x)
    with pytest.raises(ValueError, match=r"vary over items|at least 4 items"):
        rbf_hsic(x, x, rng=np.random.default_rng(0))

"""The distancing losses that CLUB is compared with."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sea_core.losses.negative_l2 import negative_l2
from sea_core.losses.orthogonal import orthogonal
from sea_core.losses.registry import DISTANCINGS
from sea_core.losses.subtraction import subtraction

rivals = pytest.mark.parametrize("loss", [negative_l2, orthogonal, subtraction])


def random_parts(seed: int, items: int = 7, dim: int = 5) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.randn(items, dim, generator=generator, dtype=torch.float64),
        torch.randn(items, dim, generator=generator, dtype=torch.float64),
    )


def rows(*values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_negative_l2_by_hand() -> None:
    # Unit rows (1, 0), (0, 1) against (0, 1), (0, -1): squared differences 1 1 and 0 4, mean 6 / 4.
    value = negative_l2(rows((2.0, 0.0), (0.0, 3.0)), rows((0.0, 5.0), (0.0, -0.1)))
    assert value.item() == pytest.approx(-1.5)


def test_orthogonal_by_hand() -> None:
    # Cosines 3/5 and -1: (0.36 + 1) / 2.
    value = orthogonal(rows((3.0, 4.0), (0.0, 2.0)), rows((7.0, 0.0), (0.0, -1.0)))
    assert value.item() == pytest.approx(0.68)


def test_subtraction_by_hand() -> None:
    # g = (1, 0), q = (0, 1), e = (1, 1) / sqrt 2: q - (e - g) = (1 - 1/sqrt 2) in both dimensions.
    value = subtraction(rows((2.0, 0.0)), rows((0.0, 2.0)))
    assert value.item() == pytest.approx((1 - 1 / math.sqrt(2)) ** 2)


def test_subtraction_is_satisfied_by_equal_parts_at_120_degrees() -> None:
    angle = 2 * math.pi / 3
    assert subtraction(rows((3.0, 0.0)), rows((3 * math.cos(angle), 3 * math.sin(angle)))).item() == pytest.approx(0)


def test_subtraction_rejects_parts_of_unequal_length_at_the_same_angle() -> None:
    angle = 2 * math.pi / 3
    assert subtraction(rows((3.0, 0.0)), rows((math.cos(angle), math.sin(angle)))).item() > 0.01


def test_random_directions_already_have_an_orthogonality_penalty_of_one_over_dim() -> None:
    generic, unique = random_parts(0, items=20_000, dim=32)
    assert orthogonal(generic, unique).item() == pytest.approx(1 / 32, rel=0.05)


@rivals
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), scale=st.floats(1e-3, 1e3))
def test_growing_the_heads_cannot_lower_a_rival(
    loss: Callable[[Tensor, Tensor], Tensor], seed: int, scale: float
) -> None:
    generic, unique = random_parts(seed)
    assert loss(scale * generic, scale * unique).item() == pytest.approx(loss(generic, unique).item(), abs=1e-9)


@rivals
def test_a_rival_does_not_depend_on_the_order_of_the_items(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    generic, unique = random_parts(1)
    order = torch.randperm(len(generic), generator=torch.Generator().manual_seed(2))
    assert loss(generic[order], unique[order]).item() == pytest.approx(loss(generic, unique).item())


@rivals
def test_descending_a_rival_changes_the_angle_between_the_parts(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    generic, unique = random_parts(3)
    before = torch.nn.functional.cosine_similarity(generic, unique)
    unique.requires_grad_()
    loss(generic, unique).backward()
    assert unique.grad is not None
    after = torch.nn.functional.cosine_similarity(generic, unique.detach() - unique.grad)
    assert not torch.allclose(before, after, atol=1e-4)


@rivals
def test_an_all_zero_row_gives_no_nan(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    generic, unique = random_parts(4)
    generic[0] = 0
    unique[0] = 0
    generic.requires_grad_()
    value = loss(generic, unique)
    value.backward()
    assert value.isfinite()
    assert generic.grad is not None
    assert generic.grad.isfinite().all()


def test_every_rival_can_be_named_in_a_config() -> None:
    assert set(DISTANCINGS) >= {"negative_l2", "orthogonal", "subtraction"}

"""What every registered loss keeps, a plugin's too."""

from __future__ import annotations

import pytest
import torch

from sea_core.losses.registry import ALIGNMENTS, CLUB, DISTANCINGS, NONE, alignment_names, distancing_names


def parts(seed: int, items: int = 12, dim: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    one, other = (torch.randn(items, dim, generator=generator, requires_grad=True) for _ in range(2))
    return one, other


def test_a_config_can_name_every_registered_loss() -> None:
    assert set(alignment_names()) == {*ALIGNMENTS, NONE}
    assert set(distancing_names()) == {*DISTANCINGS, CLUB, NONE}


@pytest.mark.parametrize("name", list(ALIGNMENTS))
def test_every_alignment_prefers_matched_rows_and_has_finite_gradients(name: str) -> None:
    rows, columns = parts(0)
    loss = ALIGNMENTS[name](rows, columns, temperature=0.2)
    assert loss.shape == ()
    loss.backward()
    assert all(torch.isfinite(part.grad).all() and part.grad.abs().sum() > 0 for part in (rows, columns))
    same = rows.detach()
    matched = float(ALIGNMENTS[name](same, same, temperature=0.2))
    assert matched < float(ALIGNMENTS[name](same, same.roll(1, 0), temperature=0.2))


@pytest.mark.parametrize("name", list(DISTANCINGS))
def test_every_distancing_moves_the_parts_apart_and_does_not_depend_on_the_order_of_items(name: str) -> None:
    generic, unique = parts(1)
    loss = DISTANCINGS[name](generic, unique)
    assert loss.shape == ()
    loss.backward()
    assert all(torch.isfinite(part.grad).all() and part.grad.abs().sum() > 0 for part in (generic, unique))
    order = torch.randperm(len(generic), generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(DISTANCINGS[name](generic[order], unique[order]), loss)
    with torch.no_grad():
        step = [part - 1e-3 * part.grad for part in (generic, unique)]
        assert DISTANCINGS[name](*step) < loss

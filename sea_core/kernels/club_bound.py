"""The compiled CLUB bound with its gradients: every tile of items is read once and written once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sea_core.kernels.club_net import pack, suits
from sea_core.kernels.compiler import compiled
from sea_core.kernels.gaussian_likelihood import TILE, bound_and_gradients
from sea_core.kernels.threads import run_team, wait_for_team

__all__ = ["bound", "suits"]


@torch.no_grad()
def bound(
    parameters: Sequence[Tensor],
    x: Float[Tensor, "items dim"],
    y: Float[Tensor, "items dim"],
    permutation: Int[Tensor, " items"],
) -> tuple[Float[Tensor, ""], Float[Tensor, "items dim"], Float[Tensor, "items dim"]]:
    """The bound and its gradients with respect to ``x`` and ``y``, as ``bound_with_torch`` up to rounding.

    Args:
        parameters: of the net; constants.
        x, y: generic and unique parts; columns of a wider tensor are read where they stand.
        permutation: gives each ``x`` another's ``y``; a permutation, so that no two threads add to one row.
    """
    items, dim = x.shape
    most = max(1, items // TILE)
    d_x, d_y, d_other = (torch.empty(items, dim) for _ in range(3))
    flat = [_flat(x), x.stride(0), _flat(y), y.stride(0)] if x.stride(1) == y.stride(1) == 1 else None
    if flat is None:
        x, y = x.contiguous(), y.contiguous()
        flat = [_flat(x), dim, _flat(y), dim]
    results = [value.numpy() for value in (d_x, d_y, d_other)]
    net, order = pack(parameters), permutation.numpy()
    totals, arrivals = np.zeros(most), np.zeros(1, np.int64)

    def take_tiles(member: int, size: int) -> None:
        _take_tiles(member, size, arrivals, net, *flat, order, *results, totals)

    run_team(take_tiles, most)
    return torch.tensor(totals.sum(), dtype=x.dtype), d_x, d_y


@compiled
def _take_tiles(member, size, arrivals, net, x, x_stride, y, y_stride, order, d_x, d_y, d_other, totals):  # type: ignore[no-untyped-def]
    """One member's share of the tiles; then of the gradients that belong to the permuted rows.

    More than six parameters: compiled code takes arrays and numbers, no objects.
    """
    items, dim = d_x.shape
    tiles = (items + TILE - 1) // TILE
    first, last = tiles * member // size, tiles * (member + 1) // size
    totals[member] = bound_and_gradients(net, x, x_stride, y, y_stride, order, d_x, d_y, d_other, first, last)
    wait_for_team(arrivals, size, 1)
    for i in range(first * TILE, min(last * TILE, items)):
        row = order[i]
        for d in range(dim):
            d_y[row, d] += d_other[i, d]


def _flat(values: Tensor) -> np.ndarray:
    """The memory from the first entry to the last, with whatever lies between the rows."""
    rows, columns = values.shape
    return values.detach().as_strided(((rows - 1) * values.stride(0) + columns,), (1,)).numpy()

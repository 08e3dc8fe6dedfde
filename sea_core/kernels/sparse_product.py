"""A sparse matrix times a dense one, added to a third, row by row."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sea_core.kernels.compiler import compiled
from sea_core.kernels.threads import run_team

LEAST_ENTRIES = 20_000  # below, waking threads and calling the compiled loop costs as much as PyTorch's own product


def suits(matrix: Tensor, x: Tensor) -> bool:
    """Whether the kernel can multiply: float32 on a CPU, and enough entries to be worth it."""
    return x.device.type == "cpu" and matrix.dtype == x.dtype == torch.float32 and len(matrix.values()) >= LEAST_ENTRIES


def add_product(
    base: Float[Tensor, "rows dim"] | None, matrix: Float[Tensor, "rows columns"], x: Float[Tensor, "columns dim"]
) -> Float[Tensor, "rows dim"]:
    """``base + matrix x`` for a CSR matrix, or ``matrix x``; the bits do not depend on the number of threads."""
    rows = matrix.shape[0]
    starts, columns, values = (part.numpy() for part in (matrix.crow_indices(), matrix.col_indices(), matrix.values()))
    factor, result = x.detach().contiguous(), x.new_empty((rows, x.shape[1]))
    first_term = factor if base is None else base.detach().contiguous()
    dense = [part.numpy() for part in (first_term, factor, result)]

    def add_share(member: int, size: int) -> None:
        # Rows are dealt out so that all members have about as many entries.
        cuts = np.searchsorted(starts, [starts[-1] * member // size, starts[-1] * (member + 1) // size])
        last = rows if member == size - 1 else cuts[1]
        _add_rows(starts, columns, values, base is not None, *dense, 0 if member == 0 else cuts[0], last)

    run_team(add_share, most=rows)
    return result


@compiled
def _add_rows(starts, columns, values, add, base, x, result, first, last):  # type: ignore[no-untyped-def]
    """Rows ``first`` to ``last``; four entries at a time, so that a row is loaded and stored a fourth as often.

    More than six parameters: compiled code takes arrays and numbers, no objects.
    """
    dim = x.shape[1]
    for row in range(first, last):
        own = result[row]
        for d in range(dim):
            own[d] = base[row, d] if add else np.float32(0)
        start, end = starts[row], starts[row + 1]
        tail = start + (end - start) // 4 * 4
        for e in range(start, tail, 4):
            x0, x1, x2, x3 = x[columns[e]], x[columns[e + 1]], x[columns[e + 2]], x[columns[e + 3]]
            v0, v1, v2, v3 = values[e], values[e + 1], values[e + 2], values[e + 3]
            for d in range(dim):
                own[d] += v0 * x0[d] + v1 * x1[d] + v2 * x2[d] + v3 * x3[d]
        for e in range(tail, end):
            other, value = x[columns[e]], values[e]
            for d in range(dim):
                own[d] += value * other[d]

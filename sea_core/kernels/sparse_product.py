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
    dim = x.shape[1]
    for row in range(first, last):
        own = result[row]
        for d in range(dim):
            own[d] = base[row, d] if add else np.float32(0)
        for entry in range(starts[row], starts[row + 1]):
            other, value = x[columns[entry]], values[entry]
            for d in range(dim):
                own[d] += value * other[d]

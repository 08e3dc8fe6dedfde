"""Both means that InfoNCE's gradients need, in one pass over blocks of rows of the logits.

With logits ``s_ij`` and their softmax ``p`` over ``j``, ``sum_j p_ij v_j`` and ``sum_i p_ij t_i`` are three products a
block: the logits, and its weights times either side. Attention, which takes one mean a pass, needs four and twice the
exponentials. The rows have length 1, so no logit is above ``scale``; shifted by that, exponentials need no maximum.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sea_core.kernels.compiler import compiled
from sea_core.kernels.elementary import exp2
from sea_core.kernels.matmul import times_transposed
from sea_core.kernels.threads import run_team

BLOCK_ROWS = 96  # the fastest of 32 to 256 at 1,425 columns; at 7,050, where a block is 2.7 MB, 64 to 192 are alike
_MOST_SCALE = 60 / math.log2(math.e)  # beyond, the smallest shifted exponential, 2^(-120), would leave float32


def suits(rows: Tensor, scale: float) -> bool:
    """Whether the kernel can take the means: float32 on a CPU, and exponentials within range."""
    return rows.device.type == "cpu" and rows.dtype == torch.float32 and scale <= _MOST_SCALE


@torch.no_grad()
def softmax_means(
    t: Float[Tensor, "rows dim"], v: Float[Tensor, "columns dim"], scale: float
) -> tuple[Float[Tensor, "rows dim"], Float[Tensor, "columns dim"], Float[Tensor, " rows"]]:
    """``sum_j p_ij v_j``, ``sum_i p_ij t_i`` and ``logsumexp_j s_ij`` for ``s = scale t v^T``.

    Args:
        t, v: rows of length 1.
        scale: the inverse temperature, as ``suits`` allows.
    """
    rows, shift = len(t), np.float32(scale * math.log2(math.e))
    queries, values = t * float(shift), v.T.contiguous()
    mean_v, mass = torch.empty_like(t), t.new_empty(rows)
    shares: dict[int, Tensor] = {}  # of the second mean, transposed, by member

    @torch.no_grad()  # each thread has a gradient mode of its own
    def take_blocks(member: int, size: int) -> None:
        share = shares[member] = torch.zeros_like(values)
        last = rows * (member + 1) // size
        for start in range(rows * member // size, last, BLOCK_ROWS):
            block = slice(start, min(start + BLOCK_ROWS, last))
            weights = times_transposed(queries[block], v)
            _exponentiate(weights.numpy(), mass.numpy()[block], shift)
            mean_v[block] = times_transposed(weights, values)
            share += times_transposed((t[block] / mass[block, None]).T, weights.T)

    run_team(take_blocks, most=max(1, rows // BLOCK_ROWS))
    return (
        mean_v / mass[:, None],
        torch.stack([shares[member] for member in sorted(shares)]).sum(0).T,
        mass.log().add_(scale),
    )


@compiled
def _exponentiate(logits, sums, shift):  # type: ignore[no-untyped-def]
    """``2^(logits - shift)`` in place, and the sum of each row."""
    for i in range(len(logits)):
        row, total = logits[i], np.float32(0)
        for j in range(len(row)):
            weight = exp2(row[j] - shift)
            row[j] = weight
            total += weight
        sums[i] = total

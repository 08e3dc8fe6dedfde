"""Dense products through the fastest library that PyTorch carries.

PyTorch sends float32 products on a CPU to MKL. oneDNN, which it carries for bfloat16 and convolutions, was measured 1.2
to 1.4 times faster on an AMD processor for factors that are both read along their rows, and up to 1.2 times slower on
an Intel one.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from sea_core.provenance import machine


def times_transposed(
    a: Float[Tensor, "rows depth"], b: Float[Tensor, "columns depth"]
) -> Float[Tensor, "rows columns"]:
    """``a b^T``; not differentiable. Best when ``a`` and ``b`` (or ``b^T``) are contiguous."""
    if _takes_onednn(a) and a.is_contiguous() and _is_dense(b):
        result: Tensor = torch.ops.mkldnn._linear_pointwise(a, b, None, "none", [], "")
        return result
    return a @ b.T


def transposed_times(
    blocks: Sequence[Float[Tensor, "depth _columns"]], b: Float[Tensor, "depth columns"]
) -> Float[Tensor, "all_columns columns"]:
    """``[blocks]^T b`` for blocks that stand side by side, in the dtype of ``b``; not differentiable."""
    if not _takes_onednn(b) and b.dtype != torch.bfloat16:  # MKL reads a transposed factor as fast as any
        return torch.cat(list(blocks), dim=1).T @ b
    widths = [block.shape[1] for block in blocks]
    a = b.new_empty(sum(widths), len(b))
    for rows, block in zip(a.split(widths), blocks, strict=True):
        rows.copy_(block.T)
    return times_transposed(a, b.T)


def multiply_into(result: Float[Tensor, "rows columns"], a: Float[Tensor, "rows depth"], b: Tensor) -> None:
    """Write ``a b`` to ``result``, which may have a wider dtype."""
    if result.dtype == a.dtype:
        torch.mm(a, b, out=result)
    else:
        result.copy_(a @ b)


def _takes_onednn(matrix: Tensor) -> bool:
    return _ONEDNN and matrix.device.type == "cpu" and matrix.dtype == torch.float32


def _is_dense(matrix: Tensor) -> bool:
    """Row- or column-major without gaps: oneDNN takes other layouts too, at a hundredth of the speed."""
    return matrix.is_contiguous() or matrix.T.is_contiguous()


_HAS_ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
_ONEDNN = _HAS_ONEDNN and not machine()["cpu"].startswith("Intel")

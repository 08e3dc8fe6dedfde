"""Dense products through the fastest library that PyTorch carries.

PyTorch sends float32 products on a CPU to MKL. oneDNN, which it carries for bfloat16 and convolutions, was measured 1.2
to 2.2 times faster on AMD processors, where MKL leaves half of a vector unused, and up to 1.2 times slower on an Intel
one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sea_core.provenance import machine

KEPT_NUMEL = 2**22  # 16 MB of float32; a larger matrix is not copied
_TRANSPOSE = "kept_transpose"


def through(layer: nn.Module, x: Float[Tensor, "rows inputs"]) -> Float[Tensor, "rows outputs"]:
    """What a ``torch.nn.Linear`` makes of ``x``, as calling it would; differentiable once."""
    if not _takes_onednn(x) or not _is_dense(x):
        return layer(x)
    return _Linear.apply(x, layer.weight, layer.bias)  # type: ignore[no-untyped-call]


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _onednn(x, weight, bias)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        gradient = gradient.contiguous()
        return _onednn(gradient, weight.T), _onednn(gradient.T, x.T), gradient.sum(0)


def times_transposed(
    a: Float[Tensor, "rows depth"], b: Float[Tensor, "columns depth"], *, bias: Float[Tensor, " columns"] | None = None
) -> Float[Tensor, "rows columns"]:
    """``a b^T + bias``; not differentiable. Best when both are contiguous, or their transposes are."""
    if _takes_onednn(a) and _is_dense(a) and _is_dense(b):
        return _onednn(a, b, bias)
    return a @ b.T if bias is None else torch.addmm(bias, a, b.T)


def transposed_times(
    blocks: Sequence[Float[Tensor, "depth _columns"]], b: Float[Tensor, "depth columns"]
) -> Float[Tensor, "all_columns columns"]:
    """``[blocks]^T b`` for blocks that stand side by side, in the dtype of ``b``; not differentiable.

    A small ``b`` is expected to be a constant: its transpose is kept with it.
    """
    onednn = _takes_onednn(b)
    if not onednn and b.dtype != torch.bfloat16:  # MKL reads a transposed factor as fast as any
        return torch.cat(list(blocks), dim=1).T @ b
    if onednn and b.numel() <= KEPT_NUMEL:
        return _onednn(_kept_transpose(b), torch.cat(list(blocks), dim=1).T).T.contiguous()
    widths = [block.shape[1] for block in blocks]
    a = b.new_empty(sum(widths), len(b))
    for rows, block in zip(a.split(widths), blocks, strict=True):
        rows.copy_(block.T)
    return times_transposed(a, b.T)


def multiply_into(result: Float[Tensor, "rows columns"], a: Float[Tensor, "rows depth"], b: Tensor) -> None:
    """Write ``a b`` to ``result``, which may have a wider dtype."""
    if _takes_onednn(a):
        result.copy_(times_transposed(a, b.T))
    elif result.dtype == a.dtype:
        torch.mm(a, b, out=result)
    else:
        result.copy_(a @ b)


def _onednn(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """``a b^T + bias`` of dense float32 matrices."""
    result: Tensor = torch.ops.mkldnn._linear_pointwise(a, b, bias, "none", [], "")
    return result


def _takes_onednn(matrix: Tensor) -> bool:
    return _ONEDNN and matrix.device.type == "cpu" and matrix.dtype == torch.float32


def _kept_transpose(matrix: Tensor) -> Tensor:
    """The transpose in memory of its own, made once; as long as the matrix is not written to."""
    kept: tuple[int, Tensor] | None = matrix.__dict__.get(_TRANSPOSE)
    if kept is None or kept[0] != matrix._version:
        kept = matrix._version, matrix.T.contiguous()
        setattr(matrix, _TRANSPOSE, kept)
    return kept[1]


def _is_dense(matrix: Tensor) -> bool:
    """Row- or column-major without gaps: oneDNN takes other layouts too, at a hundredth of the speed."""
    return matrix.is_contiguous() or matrix.T.is_contiguous()


_HAS_ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
_ONEDNN = _HAS_ONEDNN and not machine()["cpu"].startswith("Intel")

"""The projection ``e = F W^T + b``, read through its readers without being materialised.

The projected features ``e`` are only ever seen through linear readers (item MLP, alignment head, distance heads), each
of which reads a range of their columns: ``Z_i = e[:, columns_i] D_i^T + bias_i``. Multiplication is associative, so

    Z = F A^T + c    with    A = D W    and    c = D b + bias,

where ``D`` stacks the readers, zero outside their columns. ``A`` has as many rows as the readers have outputs (384 for
the released sizes), so no product has both the items and ``d x d`` in it. The gradients are

    dA = dZ^T F,    dD = dA W^T,    dW = D^T dA,    db = D^T sum(dZ).

``D W``, ``dA W^T`` and ``D^T dA`` are taken range by range of columns, so the zeros of ``D`` are never multiplied.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Reader = tuple[Tensor, Tensor, slice]
"""A linear layer ``(weight (out, columns), bias (out,))`` and the columns of the projected features that it reads."""


def read_projection(
    features: Float[Tensor, "items rank"],
    weight: Float[Tensor, "dim raw"],
    bias: Float[Tensor, " dim"],
    readers: Sequence[Reader],
    *,
    basis: Float[Tensor, "raw rank"] | None = None,
    precision: Literal["float32", "bf16"] = "float32",
) -> list[Float[Tensor, "items out"]]:
    """What each reader sees of the projection: ``(features @ weight.T + bias)[:, columns_i] @ weight_i.T + bias_i``.

    Args:
        features: raw features, or their coordinates in ``basis``; bfloat16 copies if precision is bf16. Constants.
        weight, bias: the projection.
        readers: linear layers over column ranges; ranges may overlap.
        basis: when given, the raw features are ``features @ basis.T``.
        precision: arithmetic of the large products; results and gradients are float32 (or float64) either way.
    """
    dim = weight.shape[0]
    ranges = [range(*columns.indices(dim)) for _, _, columns in readers]
    heads = [head for head, _, _ in readers]
    if _dense_is_cheaper(features.shape[0], weight, basis, heads, ranges):
        raw = features.to(weight.dtype)
        projected = functional.linear(raw if basis is None else raw @ basis.T, weight, bias)
        return [functional.linear(projected[:, columns], head, shift) for head, shift, columns in readers]
    read = _Read.apply(features, basis, precision, ranges, weight, bias, *heads)  # type: ignore[no-untyped-call]
    parts = torch.split(read, [len(head) for head in heads], dim=1)
    return [part + shift for part, (_, shift, _) in zip(parts, readers, strict=True)]


def _dense_is_cheaper(
    items: int, weight: Tensor, basis: Tensor | None, heads: Sequence[Tensor], ranges: Sequence[range]
) -> bool:
    """Compare multiplications of one forward and backward: materialised ``e`` against ``A = D W``."""
    dim, raw = weight.shape
    rank = raw if basis is None else basis.shape[1]
    outputs = sum(len(head) for head in heads)
    read = sum(len(head) * len(columns) for head, columns in zip(heads, ranges, strict=True))
    through_basis = 0 if basis is None else 2 * raw * rank * outputs
    return 2 * items * dim * raw + 3 * items * read < 3 * read * raw + through_basis + 2 * items * outputs * rank


class _Read(torch.autograd.Function):
    """``F (D W)^T + D b``; see the module's docstring for the algebra."""

    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        basis: Tensor | None,
        precision: str,
        ranges: Sequence[range],
        weight: Tensor,
        bias: Tensor,
        *heads: Tensor,
    ) -> Tensor:
        compute = torch.bfloat16 if precision == "bf16" else weight.dtype
        segments = _segments(ranges, heads)
        composed = torch.zeros(sum(len(head) for head in heads), weight.shape[1], dtype=compute, device=weight.device)
        shift = torch.zeros(len(composed), dtype=weight.dtype, device=weight.device)
        low_weight = weight.to(compute)
        for columns, rows in segments:
            stacked = _stack(heads, ranges, columns, rows)
            shift[rows] += stacked @ bias[columns]
            composed[rows] += stacked.to(compute) @ low_weight[columns]
        ctx.save_for_backward(features, basis, weight, bias, *heads)
        ctx.compute, ctx.ranges, ctx.segments = compute, ranges, segments
        direction = composed if basis is None else composed @ basis.to(compute)
        return (features @ direction.T).to(weight.dtype).add_(shift)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        features, basis, weight, bias, *heads = ctx.saved_tensors
        (d_read,), compute = gradients, ctx.compute
        d_composed = d_read.to(compute).T @ features
        if basis is not None:
            d_composed = d_composed @ basis.to(compute).T
        d_shift = d_read.sum(0)
        d_weight, d_bias = torch.zeros_like(weight), torch.zeros_like(bias)
        d_heads = [torch.zeros_like(head) for head in heads]
        low_weight = weight.to(compute)
        for columns, rows in ctx.segments:
            stacked = _stack(heads, ctx.ranges, columns, rows)
            d_weight[columns] = (stacked.to(compute).T @ d_composed[rows]).to(weight.dtype)
            d_bias[columns] = stacked.T @ d_shift[rows]
            d_stacked = (d_composed[rows] @ low_weight[columns].T).to(weight.dtype)
            d_stacked.add_(torch.outer(d_shift[rows], bias[columns]))
            _unstack(d_stacked, d_heads, ctx.ranges, columns)
        return None, None, None, None, d_weight, d_bias, *d_heads


def _segments(ranges: Sequence[range], heads: Sequence[Tensor]) -> list[tuple[slice, Tensor]]:
    """Cut the columns where a reader starts or stops; each piece comes with the rows of ``D`` that read it."""
    cuts = sorted({cut for columns in ranges for cut in (columns.start, columns.stop)})
    starts = torch.tensor([0, *(len(head) for head in heads)]).cumsum(0).tolist()
    pieces = []
    for start, stop in pairwise(cuts):
        rows = [
            torch.arange(first, last, device=heads[0].device)
            for columns, (first, last) in zip(ranges, pairwise(starts), strict=True)
            if columns.start <= start and stop <= columns.stop
        ]
        if rows:
            pieces.append((slice(start, stop), torch.cat(rows)))
    return pieces


def _stack(heads: Sequence[Tensor], ranges: Sequence[range], columns: slice, rows: Tensor) -> Tensor:
    """The block of ``D`` over some columns: the heads that read them, one below the other."""
    return torch.cat(
        [
            head[:, columns.start - own.start : columns.stop - own.start]
            for head, own in zip(heads, ranges, strict=True)
            if own.start <= columns.start and columns.stop <= own.stop
        ]
    )


def _unstack(block: Tensor, heads: Sequence[Tensor], ranges: Sequence[range], columns: slice) -> None:
    """Add a block of ``D`` to the heads it was stacked from."""
    row = 0
    for head, own in zip(heads, ranges, strict=True):
        if own.start <= columns.start and columns.stop <= own.stop:
            head[:, columns.start - own.start : columns.stop - own.start] += block[row : row + len(head)]
            row += len(head)

"""The projection ``e = F W^T + b``, read through its readers without being materialised.

The projected features ``e`` are only ever seen through linear readers (item MLP, alignment head, distance heads), each
of which reads a range of their columns: ``Z_i = e[:, columns_i] D_i^T + bias_i``. Multiplication is associative, so

    Z = F A^T + c    with    A = D W    and    c = D b + bias,

where ``D`` stacks the readers, zero outside their columns. ``A`` has as many rows as the readers have outputs (384 for
the released sizes), so no product has both the items and ``d x d`` in it. The gradients are

    dA = dZ^T F,    dD = dA W^T,    dW = D^T dA,    db = D^T sum(dZ).

``D W`` and ``dA W^T`` are taken range by range of the readers, ``D^T dA`` between one start or end of a range and the
next, so the zeros of ``D`` are never multiplied. Readers are stacked in the order of their columns, so that those of a
range lie side by side and need no copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from sea_core.kernels.matmul import multiply_into, times_transposed, transposed_times

RECYCLED_NUMEL = 2**20
_SPARE = "spare_gradient"

Reader = tuple[Tensor, Tensor, slice]
"""A linear layer ``(weight (out, columns), bias (out,))`` and the columns of the projected features that it reads."""


def read_projection(
    features: Float[Tensor, "items raw"],
    weight: Float[Tensor, "dim raw"],
    bias: Float[Tensor, " dim"],
    readers: Sequence[Reader],
    *,
    precision: Literal["float32", "bf16"] = "float32",
) -> list[Float[Tensor, "items out"]]:
    """What each reader sees of the projection: ``(features @ weight.T + bias)[:, columns_i] @ weight_i.T + bias_i``.

    Args:
        features: raw features or coordinates of them (``features.py``), in bfloat16 if precision is bf16. Constants.
        weight, bias: the projection.
        readers: linear layers over column ranges; ranges may overlap.
        precision: arithmetic of the large products; results and gradients are float32 (or float64) either way.
    """
    dim = weight.shape[0]
    ranges = [range(*columns.indices(dim)) for _, _, columns in readers]
    heads = [head for head, _, _ in readers]
    if _dense_is_cheaper(len(features), weight, heads, ranges):
        projected = functional.linear(features.to(weight.dtype), weight, bias)
        return [functional.linear(projected[:, columns], head, shift) for head, shift, columns in readers]
    order = sorted(range(len(readers)), key=lambda index: (ranges[index].start, ranges[index].stop))
    stacked = [heads[index] for index in order] + [readers[index][1] for index in order]
    read = _Read.apply(features, precision, tuple(ranges[index] for index in order), weight, bias, *stacked)  # type: ignore[no-untyped-call]
    parts = dict(zip(order, read, strict=True))
    return [parts[index] for index in range(len(readers))]


def recycle_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """``zero_grad(set_to_none=True)`` that keeps the memory of large gradients for the next backward.

    The gradient of a (4096, 4096) projection is 67 MB, which the allocator returns to the system and gets back page by
    page: 30 ms a step, ten times the time it takes to fill it.
    """
    for parameter in parameters:
        if parameter.grad is not None and parameter.grad.numel() >= RECYCLED_NUMEL:
            setattr(parameter, _SPARE, parameter.grad)
        parameter.grad = None


def _recycled_gradient(weight: Tensor) -> Tensor:
    """An uninitialised tensor for the weight's gradient: the one ``recycle_gradients`` kept, if any."""
    spare: Tensor | None = weight.__dict__.pop(_SPARE, None)
    usable = spare is not None and (spare.shape, spare.dtype, spare.device) == (
        weight.shape,
        weight.dtype,
        weight.device,
    )
    return spare if spare is not None and usable else torch.empty_like(weight)


def _dense_is_cheaper(items: int, weight: Tensor, heads: Sequence[Tensor], ranges: Sequence[range]) -> bool:
    """Compare multiplications of one forward and backward: materialised ``e`` against ``A = D W``."""
    dim, raw = weight.shape
    outputs = sum(len(head) for head in heads)
    read = sum(len(head) * len(columns) for head, columns in zip(heads, ranges, strict=True))
    return 2 * items * dim * raw + 3 * items * read < 3 * read * raw + 2 * items * outputs * raw


class _Read(torch.autograd.Function):
    """``F (D W)^T + D b + bias``; see the module's docstring for the algebra."""

    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        precision: str,
        ranges: tuple[range, ...],
        weight: Tensor,
        bias: Tensor,
        *readers: Tensor,  # the weights of all, then the biases of all
    ) -> tuple[Tensor, ...]:
        heads, shifts = readers[: len(ranges)], readers[len(ranges) :]
        compute = torch.bfloat16 if precision == "bf16" else weight.dtype
        composed, shift = [], list(shifts)
        groups = _groups(ranges)
        for columns, members in groups:
            stacked = torch.cat([heads[index] for index in members])
            composed.append(times_transposed(stacked.to(compute), weight[columns].to(compute).T))
            for index in members:
                shift[index] = torch.addmv(shifts[index], heads[index], bias[columns])
        ctx.save_for_backward(features, weight, bias, *heads)
        ctx.compute, ctx.ranges, ctx.groups = compute, ranges, groups
        read = times_transposed(features, torch.cat(composed), bias=torch.cat(shift).to(compute)).to(weight.dtype)
        return read.split([len(head) for head in heads], dim=1)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        features, weight, bias, *heads = ctx.saved_tensors
        compute = ctx.compute
        sizes = [len(head) for head in heads]
        d_composed = transposed_times(gradients, features)
        d_shifts = [gradient.sum(0) for gradient in gradients]
        rows, d_heads = d_composed.split(sizes), []
        for columns, members in ctx.groups:
            d_stacked = times_transposed(_joined(rows, members), weight[columns].to(compute)).to(weight.dtype)
            d_heads += d_stacked.split([sizes[index] for index in members])
        d_weight, d_bias = _recycled_gradient(weight), torch.zeros_like(bias)
        segments = _segments(ctx.ranges)
        for segment in segments:
            stacked = torch.cat([heads[index][:, own] for index, own in segment.readers])
            members = [index for index, _ in segment.readers]
            multiply_into(d_weight[segment.columns], stacked.to(compute).T, _joined(rows, members))
            d_bias[segment.columns] = stacked.T @ torch.cat([d_shifts[index] for index in members])
        for head, d_shift, columns in zip(d_heads, d_shifts, ctx.ranges, strict=True):
            head.addr_(d_shift, bias[columns.start : columns.stop])
        for columns in _between(segments, len(weight)):
            d_weight[columns] = 0
        return None, None, None, d_weight, d_bias, *d_heads, *d_shifts


@lru_cache
def _groups(ranges: tuple[range, ...]) -> list[tuple[slice, list[int]]]:
    """Readers of one range each: its columns, and their indices, which follow each other as ranges are in order."""
    places = groupby(range(len(ranges)), key=lambda index: ranges[index])
    return [(slice(columns.start, columns.stop), list(members)) for columns, members in places]


def _joined(rows: Sequence[Tensor], members: Sequence[int]) -> Tensor:
    """Rows that follow each other in one tensor as one tensor of all of them; a view where none is left out."""
    first, last = members[0], members[-1]
    if len(members) == last - first + 1:
        start = rows[first]
        return start.as_strided((sum(len(rows[index]) for index in members), start.shape[1]), start.stride())
    return torch.cat([rows[index] for index in members])


class _Segment(NamedTuple):
    """Columns of the projected features that the same readers read.

    Attributes:
        columns: the range.
        readers: index of each reader, and the columns of its weight that read the range.
    """

    columns: slice
    readers: Sequence[tuple[int, slice]]


@lru_cache
def _segments(ranges: tuple[range, ...]) -> list[_Segment]:
    """Cut the columns wherever a reader starts or stops."""
    cuts = sorted({cut for columns in ranges for cut in (columns.start, columns.stop)})
    segments = []
    for start, stop in pairwise(cuts):
        readers = [
            (index, slice(start - own.start, stop - own.start))
            for index, own in enumerate(ranges)
            if own.start <= start and stop <= own.stop
        ]
        if readers:
            segments.append(_Segment(slice(start, stop), readers))
    return segments


def _between(segments: Sequence[_Segment], columns: int) -> list[slice]:
    """The columns that nobody reads."""
    cuts = [0, *(cut for s in segments for cut in (s.columns.start, s.columns.stop)), columns]
    return [slice(start, stop) for start, stop in zip(cuts[::2], cuts[1::2], strict=True) if start < stop]

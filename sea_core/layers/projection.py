"""The projection ``e = F W^T + b``, read through its readers without being materialised.

The projected features ``e`` are only ever seen through linear readers (item MLP, alignment head, distance heads), each
of which reads a range of their columns: ``Z_i = e[:, columns_i] D_i^T + bias_i``. Multiplication is associative, so

    Z = F A^T + c    with    A = D W    and    c = D b + bias,

where ``D`` stacks the readers, zero outside their columns. ``A`` has as many rows as the readers have outputs (384 for
the released sizes), so no product has both the items and ``d x d`` in it. The gradients are

    dA = dZ^T F,    dD = dA W^T,    dW = D^T dA,    db = D^T sum(dZ).

``D W``, ``dA W^T`` and ``D^T dA`` are taken range by range of columns, so the zeros of ``D`` are never multiplied.
Readers are stacked in the order of their columns, so that those of a range lie side by side and need no copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
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
    read = _Read.apply(features, precision, [ranges[index] for index in order], weight, bias, *stacked)  # type: ignore[no-untyped-call]
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
        ranges: Sequence[range],
        weight: Tensor,
        bias: Tensor,
        *readers: Tensor,  # the weights of all, then the biases of all
    ) -> tuple[Tensor, ...]:
        heads, shifts = readers[: len(ranges)], readers[len(ranges) :]
        compute = torch.bfloat16 if precision == "bf16" else weight.dtype
        shift = torch.cat(shifts)
        composed = torch.zeros(len(shift), weight.shape[1], dtype=compute, device=weight.device)
        segments = _segments(ranges, heads)
        for segment in segments:
            stacked = segment.stack(heads)
            product = times_transposed(stacked.to(compute), weight[segment.columns].to(compute).T)
            for rows, part in segment.scatter(product):
                composed[rows] += part
            for rows, part in segment.scatter(stacked @ bias[segment.columns]):
                shift[rows] += part
        ctx.save_for_backward(features, weight, bias, *heads)
        ctx.compute, ctx.segments = compute, segments
        read = times_transposed(features, composed).to(weight.dtype).add_(shift)
        return read.split([len(head) for head in heads], dim=1)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        features, weight, bias, *heads = ctx.saved_tensors
        compute = ctx.compute
        d_composed = transposed_times(gradients, features)
        d_shift = torch.cat([gradient.sum(0) for gradient in gradients])
        d_weight, d_bias = _recycled_gradient(weight), torch.zeros_like(bias)
        d_heads = [torch.zeros_like(head) for head in heads]
        unread = torch.ones(len(weight), dtype=torch.bool)
        for segment in ctx.segments:
            columns, stacked = segment.columns, segment.stack(heads)
            d_rows, d_row_shift = segment.gather(d_composed), segment.gather(d_shift)
            multiply_into(d_weight[columns], stacked.to(compute).T, d_rows)
            d_bias[columns] = stacked.T @ d_row_shift
            d_stacked = times_transposed(d_rows, weight[columns].to(compute)).to(weight.dtype)
            d_stacked.addr_(d_row_shift, bias[columns])
            segment.unstack(d_stacked, d_heads)
            unread[columns] = False
        if bool(unread.any()):
            d_weight[unread.to(weight.device)] = 0
        return None, None, None, d_weight, d_bias, *d_heads, *d_shift.split([len(head) for head in heads])


class _Segment(NamedTuple):
    """Columns of the projected features that the same readers read.

    Attributes:
        columns: the range.
        readers: index of each reader; the columns of its weight that read the range; its rows in ``A``.
    """

    columns: slice
    readers: Sequence[tuple[int, slice, slice]]

    def stack(self, heads: Sequence[Tensor]) -> Tensor:
        """The block of ``D`` over these columns, without the rows that are zero."""
        return torch.cat([heads[index][:, own] for index, own, _ in self.readers])

    def unstack(self, block: Tensor, heads: Sequence[Tensor]) -> None:
        """Write such a block's columns to the heads they came from."""
        sizes = [where.stop - where.start for _, _, where in self.readers]
        for (index, own, _), part in zip(self.readers, block.split(sizes), strict=True):
            heads[index][:, own] = part

    def gather(self, rows: Tensor) -> Tensor:
        """The rows of ``A`` (or of what has its rows) that read these columns."""
        parts = [rows[where] for where in self._neighbours()]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def scatter(self, stacked: Tensor) -> Iterator[tuple[slice, Tensor]]:
        """The inverse: rows in ``A`` and the part of ``stacked`` that belongs there."""
        places = self._neighbours()
        return zip(places, stacked.split([where.stop - where.start for where in places]), strict=True)

    def _neighbours(self) -> list[slice]:
        """The readers' rows in ``A``, those side by side as one range."""
        places: list[slice] = []
        for _, _, where in self.readers:
            if places and places[-1].stop == where.start:
                places[-1] = slice(places[-1].start, where.stop)
            else:
                places.append(where)
        return places


def _segments(ranges: Sequence[range], heads: Sequence[Tensor]) -> list[_Segment]:
    """Cut the columns wherever a reader starts or stops."""
    cuts = sorted({cut for columns in ranges for cut in (columns.start, columns.stop)})
    ends = list(accumulate(len(head) for head in heads))
    segments = []
    for start, stop in pairwise(cuts):
        readers = [
            (index, slice(start - own.start, stop - own.start), slice(end - len(heads[index]), end))
            for index, (own, end) in enumerate(zip(ranges, ends, strict=True))
            if own.start <= start and stop <= own.stop
        ]
        if readers:
            segments.append(_Segment(slice(start, stop), readers))
    return segments

"""Blocks of rows of length 1, written where they belong, with a backward of few passes over memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

LEAST_NORM = 1e-12


def unit_rows(blocks: Sequence[Sequence[Float[Tensor, "_rows _dim"]]]) -> Float[Tensor, "rows columns"]:
    """``x / max(|x|, 1e-12)`` for each row of each block, as ``torch.nn.functional.normalize``; a zero row stays zero.

    Args:
        blocks: columns of blocks: those of one inner sequence lie below each other, the inner ones side by side. All
            inner sequences have equal heights.
    """
    heights = [len(block) for block in blocks[0]]
    return _UnitRows.apply(heights, *(block for column in blocks for block in column))  # type: ignore[no-untyped-call]


class _UnitRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, heights: Sequence[int], *blocks: Tensor) -> Tensor:
        widths = [block.shape[1] for block in blocks[:: len(heights)]]
        result = blocks[0].new_empty(sum(heights), sum(widths))
        norms = [torch.linalg.vector_norm(block, dim=1, keepdim=True).clamp_min_(LEAST_NORM) for block in blocks]
        for block, norm, place in zip(blocks, norms, _places(result, heights, widths), strict=True):
            torch.div(block, norm, out=place)
        ctx.heights, ctx.widths = heights, widths
        ctx.save_for_backward(result, *norms)
        return result

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        result, *norms = ctx.saved_tensors
        places = [_places(values, ctx.heights, ctx.widths) for values in (gradient, result)]
        return None, *(_gradient(d_unit, unit, norm) for d_unit, unit, norm in zip(*places, norms, strict=True))


def _gradient(d_unit: Tensor, unit: Tensor, norm: Tensor) -> Tensor:
    """``(d_unit - unit <unit, d_unit>) / norm``; a row at the least norm is not quite so, but its unit is zero."""
    along = (d_unit * unit).sum(dim=1, keepdim=True)
    return torch.addcmul(d_unit, unit, along, value=-1).div_(norm)


def _places(values: Tensor, heights: Sequence[int], widths: Sequence[int]) -> Iterator[Tensor]:
    """Views of the blocks, in the order of the function's arguments."""
    for column in values.split(list(widths), dim=1):
        yield from column.split(list(heights))

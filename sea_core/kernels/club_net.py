"""CLUB's variational net as one flat array for compiled loops, padded with zeros to the sizes they are compiled for."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from sea_core.kernels.gaussian_likelihood import DIM, HIDDEN, NET_SIZE

LEAST_ROWS = 128  # below, PyTorch is fast enough not to wait for the compiler (seconds, once per machine)
_SHAPES = [(HIDDEN, DIM), (HIDDEN,), (DIM, HIDDEN), (DIM,)] * 2  # of the flat array's eight pieces
_SIZES = [math.prod(shape) for shape in _SHAPES]


def suits(parameters: Sequence[Tensor], x: Tensor) -> bool:
    """Whether compiled loops can take this net: float32 on a CPU, and no larger than what they are compiled for."""
    hidden, dim = parameters[0].shape
    fits = dim <= DIM and hidden <= HIDDEN and len(x) >= LEAST_ROWS
    return fits and x.device.type == "cpu" and x.dtype == torch.float32


def pack(values: Sequence[Tensor]) -> np.ndarray:
    """One flat zero-padded array of the eight tensors of a net."""
    if _is_full(values):
        return torch.cat([value.reshape(-1) for value in values]).numpy()
    packed = np.zeros(2 * NET_SIZE, np.float32)
    torch._foreach_copy_(slots(packed, values), list(values))
    return packed


def slots(packed: np.ndarray, values: Sequence[Tensor]) -> list[Tensor]:
    """Where each tensor lives in the flat array: views of the tensors' own shapes."""
    pieces = torch.from_numpy(packed).split(_SIZES)
    whole = [piece.view(shape) for piece, shape in zip(pieces, _SHAPES, strict=True)]
    if _is_full(values):
        return whole
    return [slot[tuple(map(slice, value.shape))] for slot, value in zip(whole, values, strict=True)]


def _is_full(values: Sequence[Tensor]) -> bool:
    """Whether nothing is padded, as at the released sizes."""
    return values[0].shape == _SHAPES[0]

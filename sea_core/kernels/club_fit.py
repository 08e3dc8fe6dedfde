"""The compiled CLUB fit: tiles in, Adam steps in as many threads as PyTorch uses, parameters updated in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from sea_core.kernels.gaussian_likelihood import DIM, HIDDEN, NET_SIZE, TILE, adam, likelihood_and_gradients
from sea_core.kernels.threads import parts_of, run_parts

if TYPE_CHECKING:
    from sea_core.losses.club_fit import AdamNet, AdamSettings

LEAST_ROWS = 128  # below, PyTorch is fast enough not to wait for the compiler (seconds, once per machine)
LEAST_TILES = 4  # for a thread: waking it takes about as long as one tile


def suits(parameters: Sequence[Tensor], x: Tensor) -> bool:
    """Whether the kernel can fit this net: float32 on a CPU, and no larger than the sizes it is compiled for."""
    hidden, dim = parameters[0].shape
    fits = dim <= DIM and hidden <= HIDDEN and len(x) >= LEAST_ROWS
    return fits and x.device.type == "cpu" and x.dtype == torch.float32


def fit(net: AdamNet, settings: AdamSettings, x: Tensor, y: Tensor, weight: Tensor) -> Float[Tensor, ""]:
    """The same as ``fit_with_torch`` up to rounding; the same bits whenever the thread count is the same."""
    xs, ys, weights = _tiles(x, DIM), _tiles(y, DIM), _tiles(weight[:, None], 1)
    parameters, first, second = _pack(net.parameters), _pack(net.first), _pack(net.second)
    parts = parts_of(len(xs), least=LEAST_TILES)
    bounds = [len(xs) * part // parts for part in range(parts + 1)]
    gradients, losses = np.empty((parts, len(parameters)), np.float32), np.zeros(parts)

    def differentiate(part: int) -> None:
        tiles = (bounds[part], bounds[part + 1])
        losses[part] = likelihood_and_gradients(parameters, gradients[part], xs, ys, weights, x.shape[1], *tiles)

    for step_size, correction in settings.factors:
        run_parts(differentiate, parts)
        numbers = [1 - settings.beta1, settings.beta2, 1 - settings.beta2, settings.eps, step_size, correction]
        adam(parameters, gradients, first, second, np.array(numbers, np.float32))
    for packed, values in ((parameters, net.parameters), (first, net.first), (second, net.second)):
        for slot, value in zip(_slots(packed, values), values, strict=True):
            value.copy_(slot)
    return torch.tensor(losses.sum(), dtype=x.dtype)


def _tiles(values: Tensor, dim: int) -> np.ndarray:
    """``(items, columns)`` as ``(tiles, dim * TILE)``, zero-padded, with the items of a tile fastest."""
    items, columns = values.shape
    padded = functional.pad(values, (0, dim - columns, 0, -items % TILE))
    return padded.view(-1, TILE, dim).transpose(1, 2).reshape(-1, dim * TILE).numpy()


def _pack(values: Sequence[Tensor]) -> np.ndarray:
    """One flat zero-padded array of the eight tensors of a net."""
    packed = np.zeros(2 * NET_SIZE, np.float32)
    for slot, value in zip(_slots(packed, values), values, strict=True):
        slot.copy_(value)
    return packed


def _slots(packed: np.ndarray, values: Sequence[Tensor]) -> list[Tensor]:
    """Where each tensor lives in the flat array: views of the tensors' own shapes."""
    shapes = [(HIDDEN, DIM), (HIDDEN,), (DIM, HIDDEN), (DIM,)] * 2
    pieces = torch.from_numpy(packed).split([int(np.prod(shape)) for shape in shapes])
    return [
        piece.view(shape)[tuple(slice(size) for size in value.shape)]
        for piece, shape, value in zip(pieces, shapes, values, strict=True)
    ]

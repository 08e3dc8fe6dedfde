"""The compiled CLUB fit: tiles in, all Adam steps in as many threads as PyTorch uses, parameters updated in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from sea_core.kernels.club_net import pack, slots, suits
from sea_core.kernels.compiler import compiled
from sea_core.kernels.gaussian_likelihood import DIM, TILE, adam, likelihood_and_gradients
from sea_core.kernels.threads import run_team, wait_for_team

if TYPE_CHECKING:
    from sea_core.losses.club_fit import AdamNet, AdamSettings

__all__ = ["fit", "suits"]

LEAST_TILES = 4  # for a thread: waking it takes about as long as one tile


def fit(net: AdamNet, settings: AdamSettings, x: Tensor, y: Tensor, weight: Tensor) -> Float[Tensor, ""]:
    """The same as ``fit_with_torch`` up to rounding; the same bits whenever the thread count is the same."""
    xs, ys, weights = _tiles(x, DIM), _tiles(y, DIM), _tiles(weight[:, None], 1)
    parameters, first, second = pack(net.parameters), pack(net.first), pack(net.second)
    steps, most = np.empty((len(settings.factors), 6), np.float32), max(1, len(xs) // LEAST_TILES)
    if settings.factors:
        steps[:, :4] = 1 - settings.beta1, settings.beta2, 1 - settings.beta2, settings.eps
        steps[:, 4:] = settings.factors
    gradients, losses = np.empty((most, len(parameters)), np.float32), np.zeros(most)
    arrivals = np.zeros(1, np.int64)

    def take_steps(member: int, size: int) -> None:
        _take_steps(
            member, size, arrivals, parameters, first, second, gradients, losses, xs, ys, weights, x.shape[1], steps
        )

    run_team(take_steps, most)
    for packed, values in ((parameters, net.parameters), (first, net.first), (second, net.second)):
        torch._foreach_copy_(list(values), slots(packed, values))
    return torch.tensor(losses.sum(), dtype=x.dtype)


@compiled
def _take_steps(member, size, arrivals, parameters, first, second, gradients, losses, xs, ys, weights, dim, steps):  # type: ignore[no-untyped-def]
    """One member's share of all steps: its tiles' gradients; the first member also takes the step.

    More than six parameters: compiled code takes arrays and numbers, no objects.
    """
    start, stop = len(xs) * member // size, len(xs) * (member + 1) // size
    for number in range(len(steps)):
        losses[member] = likelihood_and_gradients(parameters, gradients[member], xs, ys, weights, dim, start, stop)
        wait_for_team(arrivals, size, 2 * number + 1)
        if member == 0:
            adam(parameters, gradients[:size], first, second, steps[number])
        wait_for_team(arrivals, size, 2 * number + 2)


def _tiles(values: Tensor, dim: int) -> np.ndarray:
    """``(items, columns)`` as ``(tiles, dim * TILE)``, zero-padded, with the items of a tile fastest."""
    items, columns = values.shape
    padded = functional.pad(values, (0, dim - columns, 0, -items % TILE))
    return padded.view(-1, TILE, dim).transpose(1, 2).reshape(-1, dim * TILE).numpy()

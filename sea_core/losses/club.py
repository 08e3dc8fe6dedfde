"""CLUB, SEA's distancing loss: an upper bound of the mutual information between generic and unique parts.

The bound needs a density ``q(unique | generic)``; the net is ``VariationalNet``, ``club_bound`` reads it and
``ClubFitter`` (``club_fit.py``) alone updates it.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional


class VariationalNet(nn.Module):
    """Gaussian ``q(y | x) = N(mu(x), diag exp(lv(x)))`` with one hidden layer for each of the two.

    ``mu``: Linear(dim, hidden), ReLU, Linear(hidden, dim); ``lv``: the same with a final tanh.
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.mean = nn.ModuleList([nn.Linear(dim, hidden), nn.Linear(hidden, dim)])
        self.log_variance = nn.ModuleList([nn.Linear(dim, hidden), nn.Linear(hidden, dim)])

    def forward(self, x: Float[Tensor, "items dim"]) -> tuple[Float[Tensor, "items dim"], Float[Tensor, "items dim"]]:
        """Mean and log variance of ``q(. | x)``; gradients reach ``x`` and never the net, which has its own fit."""
        weights = [parameter.detach() for parameter in self.parameters()]
        mean = functional.linear(functional.relu(functional.linear(x, weights[0], weights[1])), weights[2], weights[3])
        log_variance = torch.tanh(
            functional.linear(functional.relu(functional.linear(x, weights[4], weights[5])), weights[6], weights[7])
        )
        return mean, log_variance


def club_bound(
    net: VariationalNet,
    generic: Float[Tensor, "items dim"],
    unique: Float[Tensor, "items dim"],
    permutation: Int[Tensor, " items"],
) -> Float[Tensor, ""]:
    """Sampled CLUB (Cheng et al. 2020) in nats, not clamped: ``mean_i[ll(x_i, y_i) - ll(x_i, y_perm(i))] / 2``.

    ``ll(x, y) = sum_d[-(mu - y)^2 / (2 exp(lv)) - lv / 2]`` with ``x`` generic and ``y`` unique; ``lv / 2`` cancels.
    Gradients reach both parts and never the net.
    """
    mean, log_variance = net(generic)
    difference = (mean - unique.index_select(0, permutation)).square() - (mean - unique).square()
    bound: Tensor = (difference * torch.exp(-log_variance)).sum() / (4 * len(generic))
    return bound

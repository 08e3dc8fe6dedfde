"""CLUB, SEA's distancing loss: an upper bound of the mutual information between generic and unique parts.

The bound needs a density ``q(unique | generic)``; the net is ``VariationalNet``, ``club_bound`` reads it and
``ClubFitter`` alone updates it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

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
    difference = (mean - unique[permutation]).square() - (mean - unique).square()
    bound: Tensor = (difference * torch.exp(-log_variance)).sum() / (4 * len(generic))
    return bound


class ClubFitter:
    """Fits one variational net by maximum likelihood, with its own Adam.

    Args:
        net: updated in place by ``fit``.
        learning_rate, betas, eps: Adam's settings.
    """

    def __init__(
        self, net: VariationalNet, learning_rate: float, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
    ) -> None:
        self.net = net
        self.learning_rate, self.betas, self.eps = learning_rate, betas, eps
        self.steps_taken = 0
        self._first = {name: torch.zeros_like(value) for name, value in net.state_dict().items()}
        self._second = {name: torch.zeros_like(value) for name, value in net.state_dict().items()}

    @torch.no_grad()
    def fit(
        self, pairs: Sequence[tuple[Float[Tensor, "items dim"], Float[Tensor, "items dim"]]], steps: int
    ) -> Float[Tensor, ""]:
        """Take Adam steps on the sum over pairs of ``-mean_i ll(x_i, y_i)``; inputs are read as constants.

        Returns:
            The loss that the last step descended on, before its update; 0 if ``steps`` is 0.
        """
        x = torch.cat([pair[0] for pair in pairs])
        y = torch.cat([pair[1] for pair in pairs])
        weight = torch.cat([torch.full((len(pair[0]), 1), 1 / len(pair[0])) for pair in pairs]).to(x)
        loss = torch.zeros((), dtype=x.dtype, device=x.device)
        for _ in range(steps):
            loss, gradients = _likelihood_and_gradients(self.net, x, y, weight)
            self._adam_step(gradients)
        return loss

    def state(self) -> dict[str, Tensor]:
        """Adam's step count and moments, for a checkpoint; the net's weights are the net's own state."""
        state = {"step": torch.tensor(self.steps_taken)}
        for name in self._first:
            state[f"first/{name}"] = self._first[name].clone()
            state[f"second/{name}"] = self._second[name].clone()
        return state

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Continue from what ``state`` returned."""
        self.steps_taken = int(state["step"])
        for name in self._first:
            self._first[name].copy_(state[f"first/{name}"])
            self._second[name].copy_(state[f"second/{name}"])

    def _adam_step(self, gradients: Sequence[Tensor]) -> None:
        self.steps_taken += 1
        (beta1, beta2), t = self.betas, self.steps_taken
        for (name, parameter), gradient in zip(self.net.named_parameters(), gradients, strict=True):
            first, second = self._first[name], self._second[name]
            first.lerp_(gradient, 1 - beta1)
            second.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
            denominator = (second.sqrt() / math.sqrt(1 - beta2**t)).add_(self.eps)
            parameter.addcdiv_(first, denominator, value=-self.learning_rate / (1 - beta1**t))


def _likelihood_and_gradients(net: VariationalNet, x: Tensor, y: Tensor, weight: Tensor) -> tuple[Tensor, list[Tensor]]:
    """``-sum_n weight_n ll(x_n, y_n)`` and its gradients in the order of ``net.parameters()``."""
    w0, b0, w1, b1, v0, c0, v1, c1 = net.parameters()
    hidden_mean = functional.relu(functional.linear(x, w0, b0))
    hidden_variance = functional.relu(functional.linear(x, v0, c0))
    error = functional.linear(hidden_mean, w1, b1) - y
    log_variance = torch.tanh(functional.linear(hidden_variance, v1, c1))
    scaled = error * torch.exp(-log_variance)
    loss = ((error * scaled + log_variance) * weight).sum() / 2
    d_mean = scaled * weight
    d_variance = (1 - error * scaled) * (1 - log_variance.square()) * weight / 2
    d_hidden_mean = (d_mean @ w1) * (hidden_mean > 0)
    d_hidden_variance = (d_variance @ v1) * (hidden_variance > 0)
    return loss, [
        d_hidden_mean.T @ x,
        d_hidden_mean.sum(0),
        d_mean.T @ hidden_mean,
        d_mean.sum(0),
        d_hidden_variance.T @ x,
        d_hidden_variance.sum(0),
        d_variance.T @ hidden_variance,
        d_variance.sum(0),
    ]

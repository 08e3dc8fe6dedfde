"""The maximum-likelihood fit of CLUB's variational net: fifty small Adam steps for each training step.

The inputs are constants, so all pairs are one batch, the gradients are written by hand and nothing is shuffled (the
loss is a mean over all rows). On a CPU the steps run in a compiled kernel; ``fit_with_torch`` is its twin, which runs
for other devices, dtypes and sizes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from sea_core.kernels import load_kernel
from sea_core.losses.club import VariationalNet

Pairs = Sequence[tuple[Float[Tensor, "_items dim"], Float[Tensor, "_items dim"]]]  # each pair has its own items


class AdamNet(NamedTuple):
    """A net's parameters and Adam's moments, each in the order of ``net.parameters()``; updated in place."""

    parameters: Sequence[Tensor]
    first: Sequence[Tensor]
    second: Sequence[Tensor]


class AdamSettings(NamedTuple):
    """What every step shares, and for each step its size and the factor on the second moment's root."""

    beta1: float
    beta2: float
    eps: float
    factors: Sequence[tuple[float, float]]


class ClubFitter:
    """Fits one variational net, with its own Adam.

    Args:
        net: updated in place by ``fit``.
        learning_rate, betas, eps: Adam's settings.
    """

    def __init__(
        self, net: VariationalNet, learning_rate: float, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
    ) -> None:
        self._learning_rate, self._betas, self._eps = learning_rate, betas, eps
        self._names = [name for name, _ in net.named_parameters()]
        parameters = list(net.parameters())
        self._net = AdamNet(
            parameters, [torch.zeros_like(p) for p in parameters], [torch.zeros_like(p) for p in parameters]
        )
        self._steps_taken = 0

    @torch.no_grad()
    def fit(self, pairs: Pairs, steps: int) -> Float[Tensor, ""]:
        """Take Adam steps on the sum over pairs of ``-mean_i ll(x_i, y_i)``; inputs are read as constants.

        Returns:
            The loss that the last step descended on, before its update; 0 if ``steps`` is 0.
        """
        x, y = (torch.cat([pair[side].detach() for pair in pairs]) for side in (0, 1))
        weight = torch.cat([x.new_full((len(pair[0]),), 1 / len(pair[0])) for pair in pairs])
        numbers = range(self._steps_taken + 1, self._steps_taken + steps + 1)
        settings = AdamSettings(*self._betas, self._eps, [self._adam_factors(number) for number in numbers])
        kernel = load_kernel("club_fit")
        fit = kernel.fit if kernel is not None and kernel.suits(self._net.parameters, x) else fit_with_torch
        loss: Tensor = fit(self._net, settings, x, y, weight)
        self._steps_taken += steps
        return loss

    def state(self) -> dict[str, Tensor]:
        """Adam's step count and moments, for a checkpoint; the net's weights are the net's own state."""
        state = {"step": torch.tensor(self._steps_taken)}
        for name, first, second in zip(self._names, self._net.first, self._net.second, strict=True):
            state |= {f"first/{name}": first.clone(), f"second/{name}": second.clone()}
        return state

    @torch.no_grad()
    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Continue from what ``state`` returned."""
        self._steps_taken = int(state["step"])
        for name, first, second in zip(self._names, self._net.first, self._net.second, strict=True):
            first.copy_(state[f"first/{name}"])
            second.copy_(state[f"second/{name}"])

    def _adam_factors(self, step: int) -> tuple[float, float]:
        """Bias corrections of the ``step``-th step, counted from 1."""
        beta1, beta2 = self._betas
        return self._learning_rate / (1 - beta1**step), 1 / math.sqrt(1 - beta2**step)


def fit_with_torch(net: AdamNet, settings: AdamSettings, x: Tensor, y: Tensor, weight: Tensor) -> Float[Tensor, ""]:
    """Fit ``-sum_n weight_n ll(x_n, y_n)`` with ordinary operations; returns the last step's loss."""
    loss = x.new_zeros(())
    for step_size, correction in settings.factors:
        loss, gradients = _likelihood_and_gradients(net.parameters, x, y, weight[:, None])
        for parameter, gradient, first, second in zip(net.parameters, gradients, net.first, net.second, strict=True):
            first.lerp_(gradient, 1 - settings.beta1)
            second.mul_(settings.beta2).addcmul_(gradient, gradient, value=1 - settings.beta2)
            parameter.addcdiv_(first, (second.sqrt() * correction).add_(settings.eps), value=-step_size)
    return loss


def _likelihood_and_gradients(
    parameters: Iterable[Tensor], x: Tensor, y: Tensor, weight: Tensor
) -> tuple[Tensor, list[Tensor]]:
    w0, b0, w1, b1, v0, c0, v1, c1 = parameters
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

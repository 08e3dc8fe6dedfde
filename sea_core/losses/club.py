"""CLUB, SEA's distancing loss: an upper bound of the mutual information between generic and unique parts.

The bound needs a density ``q(unique | generic)``; the net is ``VariationalNet``, ``club_bound`` reads it and
``ClubFitter`` (``club_fit.py``) alone updates it. On a CPU a compiled kernel takes the bound and its gradients;
``bound_with_torch`` is its twin, which runs for other devices, dtypes and sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from sea_core.kernels import load_kernel


class VariationalNet(nn.Module):
    """Gaussian ``q(y | x) = N(mu(x), diag exp(lv(x)))`` with one hidden layer for each of the two.

    ``mu``: Linear(dim, hidden), ReLU, Linear(hidden, dim); ``lv``: the same with a final tanh.
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.mean = nn.ModuleList([nn.Linear(dim, hidden), nn.Linear(hidden, dim)])
        self.log_variance = nn.ModuleList([nn.Linear(dim, hidden), nn.Linear(hidden, dim)])


def club_bound(
    net: VariationalNet,
    generic: Float[Tensor, "items dim"],
    unique: Float[Tensor, "items dim"],
    permutation: Int[Tensor, " items"],
) -> Float[Tensor, ""]:
    """Sampled CLUB (Cheng et al. 2020) in nats, not clamped: ``mean_i[ll(x_i, y_i) - ll(x_i, y_perm(i))] / 2``.

    ``ll(x, y) = sum_d[-(mu - y)^2 / (2 exp(lv)) - lv / 2]`` with ``x`` generic and ``y`` unique; ``lv / 2`` cancels.
    Gradients reach both parts and never the net, which has its own fit.
    """
    parameters = [parameter.detach() for parameter in net.parameters()]
    return _ClubBound.apply(generic, unique, permutation, *parameters)  # type: ignore[no-untyped-call]


class _ClubBound(torch.autograd.Function):
    """The bound and its gradients in one go: autograd would pass over the items' rows three times as often.

    With ``y'`` the permuted ``y`` and ``p = 1 / (2 n exp(lv))``, the bound is the sum of the entries
    ``p ((mu - y')^2 - (mu - y)^2) / 2 = p (y - y') (mu - (y + y') / 2)``, whose gradients are ``p (y - y')`` for
    ``mu``, ``p (mu - y)`` for ``y``, ``p (y' - mu)`` for ``y'`` and minus the entry for ``lv``.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, permutation: Tensor, *parameters: Tensor) -> Tensor:
        kernel = load_kernel("club_bound")
        take = kernel.bound if kernel is not None and kernel.suits(parameters, x) else bound_with_torch
        bound, d_x, d_y = take(parameters, x, y, permutation)
        ctx.save_for_backward(d_x, d_y)
        return bound

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        d_x, d_y = ctx.saved_tensors
        return gradient * d_x, gradient * d_y, *[None] * 9


def bound_with_torch(
    parameters: Sequence[Tensor], x: Tensor, y: Tensor, permutation: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The bound and its gradients for ``x`` and ``y`` with ordinary operations."""
    w0, b0, w1, b1, v0, c0, v1, c1 = parameters
    hidden_mean = functional.linear(x, w0, b0).relu_()
    hidden_variance = functional.linear(x, v0, c0).relu_()
    mean = functional.linear(hidden_mean, w1, b1)
    log_variance = functional.linear(hidden_variance, v1, c1).tanh_()
    precision = torch.exp(-log_variance).div_(2 * len(x))

    other = y.index_select(0, permutation)
    d_mean = (y - other).mul_(precision)
    d_y = (mean - y).mul_(precision)
    d_other = (other - mean).mul_(precision)
    entries = d_mean * (mean - (y + other).div_(2))
    d_log_variance = (log_variance.square_() - 1).mul_(entries)
    d_x = _behind_relu(d_mean @ w1, hidden_mean) @ w0
    d_x.addmm_(_behind_relu(d_log_variance @ v1, hidden_variance), v0)
    return entries.sum(), d_x, d_y.index_add_(0, permutation, d_other)


def _behind_relu(gradient: Tensor, output: Tensor) -> Tensor:
    return gradient.masked_fill_(output == 0, 0)

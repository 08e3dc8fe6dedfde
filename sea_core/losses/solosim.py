"""Solosim, SEA's alignment loss: InfoNCE in one direction, over all items, without the items x items matrix."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

BLOCK_ROWS = 512


def solosim(
    rows: Float[Tensor, "items dim"], columns: Float[Tensor, "items dim"], *, temperature: float
) -> Float[Tensor, ""]:
    """One-directional InfoNCE from ``rows`` to ``columns`` (SEA, Eq. 16).

    ``-mean_i log softmax_j(<t_i, v_j> / temperature)[i]`` with ``t`` and ``v`` the L2-normalised rows and columns, which
    are matched by index. Natural log, so the unit is nats; chance level is log(items).

    Raises:
        ValueError: if temperature is not positive.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be > 0, got {temperature}")
    t, v = functional.normalize(rows, dim=1), functional.normalize(columns, dim=1)
    return _Solosim.apply(t, v, temperature)  # type: ignore[no-any-return,no-untyped-call]


class _Solosim(torch.autograd.Function):
    """Loss and gradients in one sweep over row blocks: a block's softmax is used for both while it exists."""

    @staticmethod
    def forward(ctx: Any, t: Tensor, v: Tensor, temperature: float) -> Tensor:
        wanted = any(ctx.needs_input_grad[:2])
        loss, grad_t, grad_v = _loss_and_gradients(t, v, temperature, gradients=wanted)
        ctx.save_for_backward(grad_t, grad_v)
        return loss

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        grad_t, grad_v = ctx.saved_tensors
        return gradient * grad_t, gradient * grad_v, None


def _loss_and_gradients(
    t: Tensor, v: Tensor, temperature: float, *, gradients: bool
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """``dt = (p v - v) / (temperature n)`` and ``dv = (p^T t - t) / (temperature n)``, ``p`` being the softmax."""
    count = len(t)
    scale = 1 / (temperature * count)
    loss = torch.zeros((), dtype=t.dtype, device=t.device)
    grad_t = torch.empty_like(t) if gradients else None
    grad_v = -t * scale if gradients else None
    for start in range(0, count, BLOCK_ROWS):
        block = slice(start, min(start + BLOCK_ROWS, count))
        logits = (t[block] @ v.T).div_(temperature)
        matched = (t[block] * v[block]).sum(1) / temperature
        normaliser = logits.logsumexp(dim=1)
        loss += (normaliser - matched).sum()
        if grad_t is not None and grad_v is not None:
            p = logits.sub_(normaliser[:, None]).exp_()
            grad_t[block] = (p @ v - v[block]) * scale
            grad_v.addmm_(p.T, t[block], alpha=scale)
    return loss / count, grad_t, grad_v

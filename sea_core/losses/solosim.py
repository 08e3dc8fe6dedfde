"""Solosim, SEA's alignment loss: InfoNCE in one direction, over all items, without the items x items matrix.

With L2-normalised rows ``t`` and columns ``v``, logits ``s_ij = <t_i, v_j> / temperature`` and their softmax ``p`` over
``j``:

    loss = mean_i[logsumexp_j(s_ij) - s_ii]
    dt_i = (sum_j p_ij v_j - v_i) / (temperature n)
    dv_j = (sum_i p_ij t_i - t_j) / (temperature n)

A compiled pass over blocks of rows takes both sums together (``kernels/softmax_means.py``). Where it cannot serve, both
are attention: the first with queries ``t`` and keys ``v``; the second with the roles swapped and a bias that turns one
softmax into the other, since ``p_ij = exp(s_ij - logsumexp_i)``. Either way the logits are visited block by block, so
memory grows with the items and not with their square.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from sea_core.kernels import load_kernel
from sea_core.losses.registry import ALIGNMENTS

BLOCK_ROWS = 256


@ALIGNMENTS.add("solosim")
def solosim(
    rows: Float[Tensor, "items dim"], columns: Float[Tensor, "items dim"], *, temperature: float
) -> Float[Tensor, ""]:
    """One-directional InfoNCE from ``rows`` to ``columns`` (SEA, Eq. 16).

    ``-mean_i log softmax_j(<t_i, v_j> / temperature)[i]`` with ``t`` and ``v`` the L2-normalised rows and columns,
    matched by index. Natural log, so the unit is nats; chance level is log(items).

    Raises:
        ValueError: if temperature is not positive, or the two shapes differ.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be > 0, got {temperature}")
    if rows.shape != columns.shape:
        raise ValueError(f"rows and columns must have one shape, got {tuple(rows.shape)} and {tuple(columns.shape)}")
    t, v = functional.normalize(rows, dim=1), functional.normalize(columns, dim=1)
    return _Solosim.apply(t, v, 1 / temperature)  # type: ignore[no-untyped-call]


class _Solosim(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, t: Tensor, v: Tensor, scale: float) -> Tensor:
        kernel = load_kernel("softmax_means") if any(ctx.needs_input_grad) else None
        if kernel is not None and kernel.suits(t, scale):
            mean_v, ctx.mean_t, log_mass = kernel.softmax_means(t, v, scale)
        else:
            mean_v, log_mass = _attend(t, v, v, scale, bias=None)
            ctx.mean_t = None
        ctx.save_for_backward(t, v, mean_v, log_mass)
        ctx.scale = scale
        return (log_mass - (t * v).sum(dim=1) * scale).mean()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        t, v, mean_v, log_mass = ctx.saved_tensors
        mean_t = ctx.mean_t
        if mean_t is None:
            attended, mass = _attend(v, t, t, ctx.scale, bias=-log_mass)
            mean_t = attended * mass.exp()[:, None]
        factor = gradient * ctx.scale / len(t)
        return (mean_v - v) * factor, (mean_t - t) * factor, None


def _attend(
    queries: Tensor, keys: Tensor, values: Tensor, scale: float, *, bias: Tensor | None
) -> tuple[Float[Tensor, "queries dim"], Float[Tensor, " queries"]]:
    """``softmax(scale queries keys^T + bias) values`` and the logsumexp of each row of logits; bias is per key."""
    if queries.device.type != "cpu":
        return _attend_in_blocks(queries, keys, values, scale, bias=bias)
    # PyTorch's public attention hides the logsumexp; the operator beneath it returns both.
    mask = None if bias is None else bias.expand(1, 1, len(queries), len(keys))
    attended, log_mass = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        queries[None, None], keys[None, None], values[None, None], attn_mask=mask, scale=scale
    )
    return attended[0, 0], log_mass[0, 0]


def _attend_in_blocks(
    queries: Tensor, keys: Tensor, values: Tensor, scale: float, *, bias: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The same from ordinary operations, for devices whose fused kernels do not take float32 with a bias."""
    attended, masses = [], []
    for block in torch.split(queries, BLOCK_ROWS):
        logits = (block @ keys.T).mul_(scale)
        if bias is not None:
            logits += bias
        log_mass = logits.logsumexp(dim=1)
        attended.append(logits.sub_(log_mass[:, None]).exp_() @ values)
        masses.append(log_mass)
    return torch.cat(attended), torch.cat(masses)

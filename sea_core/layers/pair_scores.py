"""Scores of a batch's pairs, read from the embeddings of all users and items."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from sea_core.kernels import load_kernel
from sea_core.layers.backbone import Embeddings
from sea_core.models.protocol import Batch


def pair_scores(embeddings: Embeddings, batch: Batch) -> tuple[Float[Tensor, " pairs"], Float[Tensor, " pairs"]]:
    """Of each user with the positive item, and with the negative one."""
    tables = embeddings.user_parts, embeddings.user_weight, embeddings.item
    kernel = load_kernel("pair_scores")
    if kernel is None or not kernel.suits(*tables):
        return scores_with_torch(embeddings, batch)
    positive, negative = _PairScores.apply(*tables, batch.user, torch.stack([batch.positive, batch.negative]))  # type: ignore[no-untyped-call]
    return positive, negative


def scores_with_torch(embeddings: Embeddings, batch: Batch) -> tuple[Tensor, Tensor]:
    """The same with ordinary operations: rows are gathered, and their gradients added where they belong."""
    user = embeddings.users(batch.user)
    positive, negative = embeddings.item.index_select(0, torch.cat([batch.positive, batch.negative])).chunk(2)
    return (user * positive).sum(dim=1), (user * negative).sum(dim=1)


class _PairScores(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, parts: Tensor, weight: Tensor, item: Tensor, user: Tensor, chosen: Tensor
    ) -> tuple[Tensor, Tensor]:
        scores, ctx.products = load_kernel("pair_scores").scores(parts, weight, item, user, chosen)  # type: ignore[union-attr]
        ctx.save_for_backward(parts, weight, item, user, chosen)
        positive, negative = scores
        return positive, negative

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *d_scores: Tensor) -> tuple[Tensor | None, ...]:
        *tables, user, chosen = ctx.saved_tensors
        kernel: Any = load_kernel("pair_scores")
        return *kernel.gradients(tables, user, chosen, ctx.products, torch.stack(d_scores)), None, None

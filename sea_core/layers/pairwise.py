"""The loss that the plain recommenders share: BPR of a batch and a regulariser of what it reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sea_core.config import Config
from sea_core.losses.bpr import bpr
from sea_core.losses.embedding_norms import embedding_norms
from sea_core.models.protocol import Batch, Forward


def item_pairs(batch: Batch) -> Int[Tensor, " twice_pairs"]:
    """Positive items, then negative ones: what both need is gathered once."""
    return torch.cat([batch.positive, batch.negative])


def over_rows(
    function: Callable[[Tensor], Tensor], table: Float[Tensor, "items raw"], ids: Int[Tensor, " chosen"]
) -> Float[Tensor, "chosen out"]:
    """``function`` of the rows of a wide table that a batch names, each row computed once.

    Whole tables are taken where a batch names about as many rows as there are. Elsewhere than on a CPU the distinct
    rows are not counted, because that would wait for the device.
    """
    if len(ids) >= len(table):
        return function(table).index_select(0, ids)
    if ids.device.type != "cpu":
        return function(table.index_select(0, ids))
    distinct, places = torch.unique(ids, return_inverse=True)
    return function(table.index_select(0, distinct)).index_select(0, places)


def regularised_bpr(
    config: Config,
    user: Float[Tensor, "pairs dim"],
    items: Float[Tensor, "twice_pairs dim"],
    *,
    regularised: Sequence[Float[Tensor, "pairs _"]] | None = None,
    item_bias: Float[Tensor, " twice_pairs"] | None = None,
) -> Forward:
    """``BPR + reg_weight R`` of the rows that a batch reads.

    Args:
        config: gives ``reg_weight`` and the form of ``R``.
        user, items: embeddings that are scored; items in the order of ``item_pairs``.
        regularised: rows that ``R`` is of; the embeddings themselves if None.
        item_bias: added to the scores.
    """
    positive, negative = items.chunk(2)
    scores = [(user * positive).sum(dim=1), (user * negative).sum(dim=1)]
    if item_bias is not None:
        scores = [score + bias for score, bias in zip(scores, item_bias.chunk(2), strict=True)]
    loss = bpr(scores[0], scores[1])
    norms = embedding_norms([user, positive, negative] if regularised is None else regularised, form=config.regulariser)
    total = loss + config.reg_weight * norms
    return Forward(total, {"bpr": loss, "reg": norms, "total": total})

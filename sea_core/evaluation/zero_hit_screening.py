"""Users for whom a part of the catalogue is enough: nothing relevant to them can be among their first K.

Most relevant items are far from the top, and for a miss it does not matter how far. Once K allowed items are known to
score higher than each of a user's relevant ones, all metrics of that user are 0 and the other scores are not needed.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sea_core.evaluation.item_lists import ItemLists
from sea_core.kernels.matmul import times_transposed

# The share of items that are looked at first. Measured with truncated SVDs of interactions of the Amazon kind (7,050 to
# 23,033 items), which leave 5 to 17 % of the users to be ranked; twice the share costs more than it saves.
_LEADING_SHARE = 1 / 16
# 4 MB of float32 scores.
_BLOCK_SCORES = 2**20


def leading_items(item_counts: Int[np.ndarray, " items"]) -> Int[np.ndarray, " leading"]:
    """The most popular items, which are likely to score high for everybody."""
    return np.argsort(-item_counts, kind="stable")[: int(len(item_counts) * _LEADING_SHARE)]


def screen_zero_hits(
    user_embedding: Float[Tensor, "users dim"],
    item_embedding: Float[Tensor, "items dim"],
    *,
    leading: Int[np.ndarray, " leading"],
    masked_counts: Int[np.ndarray, " users"],
    relevant: ItemLists,
    k: int,
) -> Bool[np.ndarray, " users"]:
    """Whether ``k`` allowed items surely score higher than all of a user's relevant items.

    A product of embeddings has other rounding errors whenever the shapes or the library differ, so an item counts only
    if it leads by more than all of them. A sum of ``d`` products, in any order, is off by at most about
    ``d eps sum |u_j i_j| <= d eps |u|_1 |i|_inf``; four scores are involved (two here, two in the whole ranking), and
    twice that also covers the rounding of the limit itself. Masked items are counted like others: a user with
    ``m`` of them needs ``k + m`` leading items.

    The same bound shows that no score overflows. Where it cannot (an embedding is huge, infinite or NaN), or where
    products may be less precise than their dtype, nobody is called a miss.
    """
    misses = np.zeros(len(user_embedding), np.bool_)
    numbers = torch.finfo(user_embedding.dtype)
    dim, largest_item = item_embedding.shape[1], item_embedding.abs().max()
    exact = torch.get_float32_matmul_precision() == "highest"
    if not exact or not bool(user_embedding.abs().max() * largest_item * dim < numbers.max / 4):
        return misses
    device = user_embedding.device
    leaders = item_embedding[torch.from_numpy(leading).to(device)]
    needed = torch.from_numpy(k + masked_counts).to(device)
    size = max(1, _BLOCK_SCORES // len(leading))
    for first, user in zip(range(0, len(misses), size), user_embedding.split(size), strict=True):
        rows = np.arange(first, first + len(user))
        wanted = relevant.take(rows)
        row, item = (torch.from_numpy(ids).to(device) for ids in (wanted.rows(), wanted.items))
        own = (user[row] * item_embedding[item]).sum(dim=1)
        highest = own.new_full((len(user),), -torch.inf).scatter_reduce(0, row, own, "amax")
        rounding = dim * numbers.eps * user.abs().sum(dim=1) * largest_item + dim * numbers.tiny
        limit = highest + 8 * rounding
        ahead = (times_transposed(user, leaders) > limit[:, None]).sum(dim=1, dtype=torch.int32)
        misses[rows] = (ahead >= needed[first : first + len(user)]).cpu().numpy()
    return misses

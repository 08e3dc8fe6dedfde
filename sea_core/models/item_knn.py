"""Item-kNN: an item is recommended to those who chose items with much the same users (Sarwar et al., 2001)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sea_core.evaluation.full_ranking import Scorer
from sea_core.models.protocol import UntrainedModel
from sea_core.models.registry import register

_BLOCK_SIMILARITIES = 2**22


@register
class ItemKNN(UntrainedModel):
    """Items are similar that have much the same users."""

    name = "item-knn"
    title = "Item-kNN"
    paper = "Sarwar et al., WWW 2001, doi 10.1145/371920.372071"
    reads: ClassVar[frozenset[str]] = frozenset({"knn_k", "shrink"})
    # A compromise over validation splits: dense data like less shrink (lfm2k: 0), sparse data more (Sports: 100).
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"plain": {"knn_k": 100, "shrink": 20.0}}

    def scorer(self, inputs: sp.csr_array) -> Scorer:
        """See ``item_knn_scorer``."""
        return item_knn_scorer(inputs, neighbours=self.config.knn_k, shrink=self.config.shrink)


def item_knn_scorer(train_matrix: sp.csr_array, *, neighbours: int, shrink: float) -> Scorer:
    """Score an item by its summed similarity to the user's training items that are among its neighbours.

    Args:
        train_matrix: binary ``(users, items)``.
        neighbours: similar items that an item keeps; fewer where fewer share a user with it.
        shrink: see ``item_similarities``.

    Raises:
        ValueError: neighbours below 1 or negative shrink.
    """
    train = sp.csr_array(train_matrix, dtype=np.float64)
    to_item = sp.csr_array(item_similarities(train, neighbours=neighbours, shrink=shrink).T)

    def scorer(users: Int[Tensor, " users"]) -> Float[Tensor, "users items"]:
        scores = train[users.cpu().numpy()] @ to_item
        return torch.from_numpy(scores.toarray()).to(users.device)

    return scorer


def item_similarities(train: sp.csr_array, *, neighbours: int, shrink: float) -> sp.csr_array:
    """Shrunk cosine similarity of items by their users, the nearest ones only.

    ``s(i, j) = |users of both| / (sqrt(|users of i| |users of j|) + shrink)``: shrink takes from similarities that few
    users vouch for. Ties go to the smaller id.

    Returns:
        ``(items, items)``, row = the item that keeps its neighbours; never an item to itself. In general not symmetric.

    Raises:
        ValueError: neighbours below 1 or negative shrink.
    """
    if neighbours < 1 or not shrink >= 0:
        raise ValueError(f"neighbours must be >= 1 and shrink >= 0, got {neighbours} and {shrink}")
    items = train.shape[1]
    of_item = sp.csr_array(train.T)
    popularity = np.diff(of_item.indptr).astype(np.float64)
    block = max(1, _BLOCK_SIMILARITIES // max(items, 1))
    kept = [
        _nearest(of_item[start : start + block] @ train, start, popularity, neighbours, shrink)
        for start in range(0, items, block)
    ]
    return sp.csr_array(sp.vstack(kept, format="csr"))


def _nearest(
    shared: sp.csr_array, start: int, popularity: Float[np.ndarray, " items"], neighbours: int, shrink: float
) -> sp.csr_array:
    """The nearest items of a block of rows, given the numbers of ``shared`` users; its first row is item ``start``."""
    pairs = shared.tocoo()
    other = pairs.row + start != pairs.col
    row, item, both = pairs.row[other], pairs.col[other], pairs.data[other]
    similarity = both / (np.sqrt(popularity[row + start] * popularity[item]) + shrink)
    order = np.lexsort((item, -similarity, row))
    row, item, similarity = row[order], item[order], similarity[order]
    first_of_row = np.searchsorted(row, np.arange(shared.shape[0]))
    near = np.arange(len(row)) - first_of_row[row] < neighbours
    return sp.csr_array((similarity[near], (row[near], item[near])), shape=shared.shape)

"""The item-item graph: each item receives from the items whose raw features point in the most similar directions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import scipy.sparse as sp
from jaxtyping import Int

from sea_core.cache import cached_arrays
from sea_core.data.dataset import Dataset
from sea_core.graphs.neighbours import nearest_items, nearest_items_approximately, neighbour_recall

Method = Literal["exact", "nndescent"]

# Part of every cache key: raise it when the neighbours of equal inputs change.
VERSION = 1


class Neighbours(NamedTuple):
    """A modality's neighbours.

    Attributes:
        ids: the items each item keeps, increasing along a row.
        recall: share of the exact neighbours among them; measured on a sample for an approximate method, else 1.
    """

    ids: Int[np.ndarray, "items k"]
    recall: float


def item_graph(dataset: Dataset, *, knn_k: int, weights: Sequence[float], method: Method = "exact") -> sp.csr_array:
    """Mix the modalities' neighbour graphs: ``sum_m weights[m] S_m``, where ``S_m`` is 1/k at each neighbour kept.

    Row = receiving item, so the matrix is not symmetric. A modality of weight 0 is left out and costs nothing.

    Args:
        dataset: gives the raw features.
        knn_k: neighbours an item keeps, itself among them.
        weights: one per modality, in the dataset's order.
        method: ``exact``, or ``nndescent`` (approximate; see ``modality_neighbours`` for its recall).

    Returns:
        ``(items, items)`` float32 with sorted column indices.

    Raises:
        UserError: ``knn_k`` is not in 1..items, or the approximate method is not installed.
    """
    if len(weights) != len(dataset.modalities):
        raise ValueError(f"expected {len(dataset.modalities)} weights, one per modality, got {len(weights)}")
    graph = sp.csr_array((dataset.items, dataset.items), dtype=np.float64)
    for modality, weight in zip(dataset.modalities, weights, strict=True):
        if weight != 0:
            ids = modality_neighbours(dataset, modality, knn_k=knn_k, method=method).ids
            starts = np.arange(dataset.items + 1) * knn_k
            edges = np.full(ids.size, weight / knn_k)
            graph = graph + sp.csr_array((edges, ids.ravel(), starts), shape=graph.shape)
    graph.sort_indices()
    return graph.astype(np.float32)


def modality_neighbours(dataset: Dataset, modality: str, *, knn_k: int, method: Method = "exact") -> Neighbours:
    """One modality's neighbours, from the cache if they were computed before from the same features, k and method.

    Raises:
        UserError: as ``item_graph``.
    """
    features = dataset.features[modality]

    def build() -> dict[str, np.ndarray]:
        if method == "exact":
            return {"ids": nearest_items(features, knn_k).astype(np.int32), "recall": np.ones(1)}
        ids = nearest_items_approximately(features, knn_k)
        return {"ids": ids.astype(np.int32), "recall": np.array([neighbour_recall(features, ids)])}

    inputs = {"features": dataset.feature_hashes[modality], "k": knn_k, "method": method, "version": VERSION}
    stored = cached_arrays("neighbours", inputs, build)
    return Neighbours(ids=stored["ids"], recall=float(stored["recall"][0]))

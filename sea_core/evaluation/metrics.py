"""Ranking metrics: who was hit at which position in, one value per user out.

``hits[u, p]`` says whether the item that user ``u`` sees at position ``p`` (0 is the top) is relevant, so ``K`` is the
matrix's width. ``relevant[u]`` counts the user's relevant items, found or not, and is at least 1. Values lie in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int

from sea_core.registry import Registry

Hits = Bool[np.ndarray, "users K"]
Relevant = Int[np.ndarray, " users"]
PerUser = Float[np.ndarray, " users"]

# The name in a metric key such as ``map@20`` -> the function. Plugins may register more.
METRICS: Registry[Callable[[Hits, Relevant], PerUser]] = Registry("metric")


@METRICS.add("recall")
def recall(hits: Hits, relevant: Relevant) -> PerUser:
    """Recall@K: the share of a user's relevant items that are among the first K."""
    return hits.sum(axis=1) / relevant


@METRICS.add("ndcg")
def ndcg(hits: Hits, relevant: Relevant) -> PerUser:
    """NDCG@K, binary: gain 1 / log2(position + 2), divided by that of min(K, relevant) hits at the top."""
    discount = 1.0 / np.log2(np.arange(hits.shape[1]) + 2.0)
    ideal = np.cumsum(discount)[np.minimum(relevant, hits.shape[1]) - 1]
    return (hits * discount).sum(axis=1) / ideal


@METRICS.add("precision")
def precision(hits: Hits, relevant: Relevant) -> PerUser:
    """Precision@K: the share of the first K positions that are hits, also when fewer than K items are left."""
    return hits.sum(axis=1) / hits.shape[1]


@METRICS.add("map")
def average_precision(hits: Hits, relevant: Relevant) -> PerUser:
    """AP@K: precision at each hit's position, summed and divided by min(K, relevant). Its mean over users is MAP@K."""
    precision_at = np.cumsum(hits, axis=1) / np.arange(1.0, hits.shape[1] + 1.0)
    return (hits * precision_at).sum(axis=1) / np.minimum(relevant, hits.shape[1])

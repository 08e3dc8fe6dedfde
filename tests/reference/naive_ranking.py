"""The slow, obvious evaluation that the fast one must equal: one user at a time, plain Python arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def naive_ranking(scores: np.ndarray, masked: set[int], k: int) -> list[int]:
    """The first ``k`` items by falling score, ties to the smaller id, without the masked ones."""
    allowed = [item for item in range(len(scores)) if item not in masked]
    return sorted(allowed, key=lambda item: (-scores[item], item))[:k]


def naive_metrics(ranking: Sequence[int], relevant: set[int], k: int) -> dict[str, float]:
    hits = [item in relevant for item in ranking]
    best = min(k, len(relevant))
    gains = sum(1 / math.log2(position + 2) for position, hit in enumerate(hits) if hit)
    ideal = sum(1 / math.log2(position + 2) for position in range(best))
    precisions = [sum(hits[: position + 1]) / (position + 1) for position, hit in enumerate(hits) if hit]
    return {
        f"recall@{k}": sum(hits) / len(relevant),
        f"ndcg@{k}": gains / ideal,
        f"precision@{k}": sum(hits) / k,
        f"map@{k}": sum(precisions) / best,
    }


def naive_evaluate(
    scores: np.ndarray, train: Sequence[tuple[int, int]], relevant: Sequence[tuple[int, int]], ks: Sequence[int]
) -> dict[int, dict[str, float]]:
    """User -> metric -> value, for users with at least one relevant item."""
    result = {}
    for user in range(len(scores)):
        wanted = {item for u, item in relevant if u == user}
        masked = {item for u, item in train if u == user}
        if wanted:
            result[user] = {}
            for k in ks:
                result[user] |= naive_metrics(naive_ranking(scores[user], masked, k), wanted, k)
    return result

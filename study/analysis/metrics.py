"""Which metrics are shown, and how they are written."""

from __future__ import annotations

HEADLINE = ("recall@10", "recall@20", "ndcg@10", "ndcg@20")  # what is shown; a CSV holds every metric


def metric_title(key: str) -> str:
    """``recall@20`` -> ``Recall@20``, ``ndcg@10`` -> ``NDCG@10``."""
    name, at, k = key.partition("@")
    return ({"ndcg": "NDCG", "map": "MAP"}.get(name) or name.capitalize()) + at + k

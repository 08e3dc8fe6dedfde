"""Which metrics are shown, and how they are written."""

from __future__ import annotations

from collections.abc import Sequence

MAIN = "recall@20"  # where one metric has to be chosen, and it is shown


def main_metric(shown: Sequence[str]) -> str:
    """The one metric of a figure that has room for one: ``MAIN`` if it is shown, else the first that is."""
    return MAIN if MAIN in shown or not shown else shown[0]


def metric_title(key: str) -> str:
    """``recall@20`` -> ``Recall@20``, ``ndcg@10`` -> ``NDCG@10``."""
    name, at, k = key.partition("@")
    return ({"ndcg": "NDCG", "map": "MAP"}.get(name) or name.capitalize()) + at + k

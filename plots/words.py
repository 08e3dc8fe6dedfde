"""How parameters and loss terms are written for people; metrics and arms have their titles from ``study``."""

from __future__ import annotations

_PARAMETERS = {"knn_k": "neighbours $k$", "gnn_layers": "GNN layers"}

_TERMS = {"bpr": "BPR", "alignment": "alignment", "total": "total", "club_fit": "CLUB fit"}


def parameter_label(key: str) -> str:
    """``alignment_weight`` -> ``alignment weight``."""
    return _PARAMETERS.get(key, key.replace("_", " "))


def loss_label(key: str) -> str:
    """``bpr`` -> ``BPR``, ``distance_text`` -> ``distance, text``."""
    return _TERMS.get(key, key.replace("_", ", ", 1))

"""How parameters and loss terms are written for people; metrics and arms have their titles from ``study``."""

from __future__ import annotations

from sea_core.config import Config

_PARAMETERS = {"knn_k": "neighbours k", "gnn_layers": "GNN layers"}


def parameter_label(key: str) -> str:
    """``alignment_weight`` -> ``alignment weight``."""
    return _PARAMETERS.get(key, key.replace("_", " "))


def loss_label(term: str, config: Config) -> str:
    """``bpr`` -> ``BPR (nats)``, ``distance_text`` -> ``distance, text (nats)``; the unit depends on the config."""
    name, _, modality = term.partition("_")
    if name == "bpr":
        return "BPR (nats)" if config.bpr_log_base == "e" else "BPR (bits)"
    if name == "distance":
        return f"distance, {modality}{' (nats)' if config.distancing == 'club' else ''}"
    if name == "total":
        return "total, weighted"
    return "alignment (nats)" if name == "alignment" else term.replace("_", " ")

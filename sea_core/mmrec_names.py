"""MMRec's names of settings, and the config keys that mean the same whatever the model."""

from __future__ import annotations

from collections.abc import Mapping

CONFIG_KEYS: Mapping[str, str] = {
    "learning_rate": "learning_rate",
    "weight_decay": "weight_decay",
    "train_batch_size": "batch_size",
    "embedding_size": "latent_dim",
    "n_layers": "gnn_layers",
    "n_ui_layers": "gnn_layers",
    "n_mm_layers": "item_graph_layers",
    "knn_k": "knn_k",
    "mm_image_weight": "image_weight",
    "reg_weight": "reg_weight",
}

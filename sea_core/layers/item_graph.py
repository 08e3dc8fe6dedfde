"""The item graph that a config asks for, ready for products."""

from __future__ import annotations

import torch

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.graphs.item_item import item_graph
from sea_core.graphs.products import SparseGraph


def mixed_item_graph(config: Config, dataset: Dataset, *, device: str | torch.device) -> SparseGraph:
    """The modalities' neighbour graphs, mixed by their weights, on a device.

    Raises:
        UserError: the weights do not name the dataset's modalities, or ``knn_k`` is more than there are items.
    """
    weights = list(item_graph_weights(config, dataset.modalities).values())
    graph = item_graph(dataset, knn_k=config.knn_k, weights=weights, method=config.neighbour_search)
    return SparseGraph.from_scipy(graph, symmetric=False, device=device)


def item_graph_weights(config: Config, modalities: tuple[str, ...]) -> dict[str, float]:
    """Weight of each modality's item graph: as configured, or ``image_weight`` for the first and the rest evenly."""
    if config.item_graph_weights is not None:
        if set(config.item_graph_weights) != set(modalities):
            raise UserError(
                f"item_graph_weights must name each modality once: expected {list(modalities)}, "
                f"got {list(config.item_graph_weights)}"
            )
        return {m: config.item_graph_weights[m] for m in modalities}
    if len(modalities) == 1:
        return {modalities[0]: 1.0}
    rest = (1 - config.image_weight) / (len(modalities) - 1)
    return {m: config.image_weight if index == 0 else rest for index, m in enumerate(modalities)}

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
    """Weight of each modality's item graph: as configured; of two ``image_weight`` and the rest; of more, equal ones.

    Raises:
        UserError: ``item_graph_weights`` names other modalities, or ``image_weight`` is set for more than two.
    """
    if config.item_graph_weights is not None:
        if set(config.item_graph_weights) != set(modalities):
            raise UserError(
                f"item_graph_weights must name each modality once: expected {list(modalities)}, "
                f"got {list(config.item_graph_weights)}"
            )
        return {m: config.item_graph_weights[m] for m in modalities}
    if len(modalities) == 2:
        return dict(zip(modalities, (config.image_weight, 1 - config.image_weight), strict=True))
    if len(modalities) > 2 and config.image_weight != Config().image_weight:
        example = ", ".join(f"{m}: {1 / len(modalities):.2g}" for m in modalities)
        raise UserError(
            f"image_weight is for two modalities, but the data have {', '.join(modalities)}; leave it out, or give "
            f"item_graph_weights: {{{example}}} that sum to 1"
        )
    return dict.fromkeys(modalities, 1 / len(modalities))

"""LightGCN: BPR on embeddings that are averaged over the user-item graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.graphs.products import SparseGraph, propagate_sum
from sea_core.graphs.user_item import MMREC_EPSILON, user_item_graph
from sea_core.layers.initialisation import xavier_uniform
from sea_core.layers.pairwise import item_pairs, regularised_bpr
from sea_core.models.protocol import Batch, Encoded, Forward, TrainedModel, keys
from sea_core.models.registry import register


@register
class LightGCN(TrainedModel):
    """``Z = (E + A E + ... + A^L E) / (L + 1)`` of users over items; the score is the dot product of two rows of Z."""

    name = "lightgcn"
    title = "LightGCN"
    paper = "He et al., SIGIR 2020, arXiv 2002.02126"
    reads = keys("latent_dim gnn_layers reg_weight regulariser")
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "mmrec": {"gnn_layers": 1, "reg_weight": 0.01, "learning_rate": 1e-3, "stopping_decimals": 4},
        "paper": {"gnn_layers": 3, "reg_weight": 1e-4, "regulariser": "squared", "learning_rate": 1e-3},
    }

    def __init__(self, config: Config, *, users: int, items: int, seed: int) -> None:
        """Draw both tables Xavier-uniformly."""
        super().__init__()
        self.config = config
        dim = config.latent_dim
        self.user_embedding = nn.Parameter(xavier_uniform(users, dim, seed=seed, name="user_embedding"))
        self.item_embedding = nn.Parameter(xavier_uniform(items, dim, seed=seed, name="item_embedding"))

    @classmethod
    def prepare(cls, config: Config, dataset: Dataset, *, device: str | torch.device) -> SparseGraph:
        """The normalised user-item graph."""
        graph = user_item_graph(dataset.train_matrix, epsilon=MMREC_EPSILON)
        return SparseGraph.from_scipy(graph, symmetric=True, device=device)

    @classmethod
    def build(cls, config: Config, dataset: Dataset, inputs: SparseGraph, *, seed: int) -> LightGCN:
        """See ``__init__``, which takes sizes alone."""
        return cls(config, users=dataset.users, items=dataset.items, seed=seed)

    def encode(self, inputs: SparseGraph) -> Encoded:
        """The rows of ``Z``."""
        mean = self._propagated(inputs) / (self.config.gnn_layers + 1)
        return Encoded(*mean.split([len(self.user_embedding), len(self.item_embedding)]))

    def forward(self, inputs: SparseGraph, batch: Batch, draws: None) -> Forward:
        """BPR of rows of ``Z``, and the regulariser of the same rows of ``E``."""
        total, items = self._propagated(inputs), item_pairs(batch)
        nodes = torch.cat([batch.user, items + len(self.user_embedding)])
        # Only the batch's rows are divided.
        mean = total.index_select(0, nodes) / (self.config.gnn_layers + 1)
        user, item = mean.split([len(batch.user), len(items)])
        own = self.user_embedding.index_select(0, batch.user)
        regularised = [own, *self.item_embedding.index_select(0, items).chunk(2)]
        return regularised_bpr(self.config, user, item, regularised=regularised)

    def _propagated(self, graph: SparseGraph) -> Float[Tensor, "nodes dim"]:
        return propagate_sum(graph, torch.cat([self.user_embedding, self.item_embedding]), self.config.gnn_layers)

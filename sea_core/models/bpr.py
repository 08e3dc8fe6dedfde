"""BPR: matrix factorisation trained by Bayesian personalised ranking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import nn

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.layers.initialisation import xavier_normal
from sea_core.layers.pairwise import item_pairs, regularised_bpr
from sea_core.models.protocol import Batch, Encoded, Forward, TrainedModel, keys
from sea_core.models.registry import register


@register
class BPR(TrainedModel):
    """A vector per user and item; the score is their dot product."""

    name = "bpr"
    title = "BPR"
    paper = "Rendle et al., UAI 2009, arXiv 1205.2618"
    reads = keys("latent_dim reg_weight regulariser")
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "mmrec": {"reg_weight": 2.0, "learning_rate": 1e-3, "stopping_decimals": 4},
        # The paper leaves the weight to a search; so should a study.
        "paper": {"reg_weight": 0.01, "regulariser": "squared", "learning_rate": 1e-3},
    }

    def __init__(self, config: Config, *, users: int, items: int, seed: int) -> None:
        """Draw both tables Xavier-normally."""
        super().__init__()
        self.config = config
        dim = config.latent_dim
        self.user_embedding = nn.Parameter(xavier_normal(users, dim, seed=seed, name="user_embedding"))
        self.item_embedding = nn.Parameter(xavier_normal(items, dim, seed=seed, name="item_embedding"))

    @classmethod
    def prepare(cls, config: Config, dataset: Dataset, *, device: str | torch.device) -> None:
        """It reads nothing but pairs: neither graphs nor features are built."""

    @classmethod
    def build(cls, config: Config, dataset: Dataset, inputs: None, *, seed: int) -> BPR:
        """See ``__init__``, which takes sizes alone."""
        return cls(config, users=dataset.users, items=dataset.items, seed=seed)

    def encode(self, inputs: None) -> Encoded:
        """The tables."""
        return Encoded(self.user_embedding, self.item_embedding)

    def forward(self, inputs: None, batch: Batch, draws: None) -> Forward:
        """BPR and the regulariser of the rows that the batch reads."""
        user = self.user_embedding.index_select(0, batch.user)
        return regularised_bpr(self.config, user, self.item_embedding.index_select(0, item_pairs(batch)))

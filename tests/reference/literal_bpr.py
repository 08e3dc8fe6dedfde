"""BPR written down as its text reads (tests/golden/models_README.md), with nothing but ordinary PyTorch.

The slow twin of ``sea_core.models.bpr``; the other twins share its batch, losses and optimiser.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor


class Data(NamedTuple):
    """What a twin is built on: sizes, distinct training pairs, features by modality."""

    users: int
    items: int
    train_user: np.ndarray
    train_item: np.ndarray
    features: Mapping[str, np.ndarray]


class LiteralBPR:
    """Weights by MMRec's names; ``settings`` by MMRec's names too."""

    def __init__(self, settings: Mapping[str, Any], data: Data, generator: torch.Generator) -> None:
        self.settings, self.data, self.dim = settings, data, settings["embedding_size"]
        self.weights = {name: value.requires_grad_() for name, value in self.draw(generator).items()}

    def draw(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Initial weights."""
        return {
            "user_embedding.weight": xavier_normal(self.data.users, self.dim, generator),
            "item_embedding.weight": xavier_normal(self.data.items, self.dim, generator),
        }

    def representation(self, *, training: bool) -> tuple[Tensor, Tensor]:
        """Users and items, whose products are scores."""
        return self.weights["user_embedding.weight"], self.weights["item_embedding.weight"]

    def loss(self, user: Tensor, positive: Tensor, negative: Tensor) -> dict[str, Tensor]:
        """The total loss of a batch and its unweighted terms."""
        users, items = self.representation(training=True)
        terms = {
            "bpr": bpr(users[user], items[positive], items[negative]),
            "reg": regulariser(*self.regularised(user, positive, negative)),
        }
        return {**terms, "total": terms["bpr"] + self.settings["reg_weight"] * terms["reg"]}

    def regularised(self, user: Tensor, positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The rows that the regulariser is of."""
        users, items = self.representation(training=True)
        return users[user], items[positive], items[negative]

    def graphs(self) -> dict[str, np.ndarray]:
        """What a record holds of graphs."""
        return {}


class LiteralStepper:
    """PyTorch's own Adam, with the weight decay and clipping that the settings ask for."""

    def __init__(self, model: LiteralBPR) -> None:
        self.model = model
        self.weights = list(model.weights.values())
        self.optimiser = torch.optim.Adam(
            self.weights, lr=model.settings["learning_rate"], weight_decay=model.settings.get("weight_decay", 0.0)
        )

    def step(self, user: Tensor, positive: Tensor, negative: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """One update; returns the terms and gradients before it."""
        self.optimiser.zero_grad(set_to_none=False)
        terms = self.model.loss(user, positive, negative)
        terms["total"].backward()
        gradients = {
            name: torch.zeros_like(w) if w.grad is None else w.grad.clone() for name, w in self.model.weights.items()
        }
        if self.model.settings.get("clip_grad_norm"):
            torch.nn.utils.clip_grad_norm_(self.weights, **self.model.settings["clip_grad_norm"])
        self.optimiser.step()
        return {name: value.detach() for name, value in terms.items()}, gradients


def bpr(user: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """As the text has it, with the 1e-10 inside the logarithm."""
    margin = (user * positive).sum(dim=1) - (user * negative).sum(dim=1)
    return -torch.log(1e-10 + torch.sigmoid(margin)).mean()


def regulariser(user: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Three Frobenius norms over the batch size."""
    return (user.norm() + positive.norm() + negative.norm()) / len(user)


def xavier_normal(rows: int, columns: int, generator: torch.Generator) -> Tensor:
    """Mean 0, variance 2 / (rows + columns)."""
    return torch.randn(rows, columns, generator=generator) * (2 / (rows + columns)) ** 0.5


def xavier_uniform(rows: int, columns: int, generator: torch.Generator) -> Tensor:
    """Uniform on plus and minus sqrt(6 / (rows + columns))."""
    return (torch.rand(rows, columns, generator=generator) * 2 - 1) * (6 / (rows + columns)) ** 0.5

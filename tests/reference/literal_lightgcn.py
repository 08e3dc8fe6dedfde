"""LightGCN written down as its text reads (tests/golden/models_README.md), with nothing but ordinary PyTorch."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tests.reference.literal_bpr import LiteralBPR, xavier_uniform

EPSILON = 1e-7


class LiteralLightGCN(LiteralBPR):
    """The mean of ``E, A E, ..., A^L E``."""

    USER, ITEM, LAYERS = "embedding_dict.user_emb", "embedding_dict.item_emb", "n_layers"

    def draw(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Initial weights; builds the graph as well."""
        self.adjacency = normalised(
            self.data.train_user, self.data.train_item, self.data.users, self.data.items, dtype=np.float64
        )
        return {
            self.USER: xavier_uniform(self.data.users, self.dim, generator),
            self.ITEM: xavier_uniform(self.data.items, self.dim, generator),
        }

    def representation(self, *, training: bool) -> tuple[Tensor, Tensor]:
        """The rows of the mean over layers."""
        return self.mean_over(self.adjacency)

    def mean_over(self, adjacency: Tensor) -> tuple[Tensor, Tensor]:
        """The rows of the mean over layers of some graph."""
        layers = [torch.cat([self.weights[self.USER], self.weights[self.ITEM]])]
        for _ in range(self.settings[self.LAYERS]):
            layers.append(torch.sparse.mm(adjacency, layers[-1]))
        mean = torch.stack(layers, dim=1).mean(dim=1)
        return mean[: self.data.users], mean[self.data.users :]

    def regularised(self, user: Tensor, positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Rows of the tables, not of the mean."""
        items = self.weights[self.ITEM]
        return self.weights[self.USER][user], items[positive], items[negative]

    def graphs(self) -> dict[str, np.ndarray]:
        """The adjacency."""
        return as_arrays("graph/user_item", self.adjacency)


def normalised(user: np.ndarray, item: np.ndarray, users: int, items: int, *, dtype: type) -> Tensor:
    """Entries ``(deg_u + eps)^-1/2 (deg_i + eps)^-1/2`` for each pair and its mirror image."""
    values = edge_values(user, item, users, items, dtype=dtype).astype(np.float32)
    rows, columns = np.concatenate([user, item + users]), np.concatenate([item + users, user])
    return torch.sparse_coo_tensor(
        torch.from_numpy(np.stack([rows, columns])),
        torch.from_numpy(np.concatenate([values, values])),
        (users + items, users + items),
        check_invariants=True,
    ).coalesce()


def edge_values(user: np.ndarray, item: np.ndarray, users: int, items: int, *, dtype: type) -> np.ndarray:
    """One number per pair; degrees are counted among the pairs given."""
    of_user = (np.bincount(user, minlength=users).astype(dtype) + dtype(EPSILON)) ** dtype(-0.5)
    of_item = (np.bincount(item, minlength=items).astype(dtype) + dtype(EPSILON)) ** dtype(-0.5)
    return of_user[user] * of_item[item]


def as_arrays(name: str, matrix: Tensor) -> dict[str, np.ndarray]:
    """A sparse matrix as a record holds it."""
    rows, columns = matrix.indices().numpy()
    return {f"{name}/rows": rows, f"{name}/cols": columns, f"{name}/values": matrix.values().numpy()}

"""The graph backbone: modal item features in, user and item embeddings out.

A backbone reads each modality's projected features through one linear layer (``first_layer``) and turns what it read
into embeddings. SEA's separation knows nothing else about it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from sea_core.graphs.products import SparseGraph, propagate, propagate_sum
from sea_core.kernels.matmul import through
from sea_core.layers.initialisation import linear, xavier_normal
from sea_core.layers.unit_rows import unit_rows


class Embeddings(NamedTuple):
    """What a backbone returns; a score is the dot product of a row of ``user`` and a row of ``item``.

    Attributes:
        user_parts: ``(U, modalities * L)`` user rows of the propagated ``h_m`` side by side, before they are weighted.
        user_weight: ``(U, modalities)`` of each user's parts.
        item: ``(I, modalities * L)``.
        item_parts: modality -> ``(I, L)`` item rows of the propagated ``h_m``, before fusion.
    """

    user_parts: Float[Tensor, "users dim"]
    user_weight: Float[Tensor, "users modalities"]
    item: Float[Tensor, "items dim"]
    item_parts: Mapping[str, Float[Tensor, "items latent"]]

    @property
    def user(self) -> Float[Tensor, "users dim"]:
        """The embeddings of all users."""
        return _weighted(self.user_parts, self.user_weight)

    def users(self, ids: Int[Tensor, " chosen"]) -> Float[Tensor, "chosen dim"]:
        """The embeddings of some users; a batch needs a tenth of them."""
        return _weighted(self.user_parts.index_select(0, ids), self.user_weight.index_select(0, ids))


def _weighted(parts: Float[Tensor, "rows dim"], weight: Float[Tensor, "rows modalities"]) -> Float[Tensor, "rows dim"]:
    return (parts.unflatten(1, (weight.shape[1], -1)) * weight[:, :, None]).flatten(1)


class GraphBackbone(nn.Module):
    """Item MLP, user preferences, propagation over the user-item graph, fusion, item-graph smoothing."""

    def __init__(
        self,
        *,
        users: int,
        projected_dims: Mapping[str, int],
        latent_dim: int,
        item_mlp_hidden: int,
        gnn_layers: int,
        item_graph_layers: int,
        seed: int,
    ) -> None:
        """Draw the initial weights.

        More than six parameters: the sizes of its layers, by name; a layer knows no config.
        """
        super().__init__()
        self.modalities: Sequence[str] = tuple(projected_dims)
        self.users = users
        self.gnn_layers = gnn_layers
        self.item_graph_layers = item_graph_layers
        self.user_preference = nn.ParameterDict(
            {
                m: nn.Parameter(xavier_normal(users, latent_dim, seed=seed, name=f"{m}/user_preference"))
                for m in projected_dims
            }
        )
        self.item_mlp = nn.ModuleDict(
            {
                m: nn.ModuleList(
                    [
                        linear(dim, item_mlp_hidden, seed=seed, name=f"{m}/item_mlp/0"),
                        linear(item_mlp_hidden, latent_dim, seed=seed, name=f"{m}/item_mlp/1"),
                    ]
                )
                for m, dim in projected_dims.items()
            }
        )
        # A softmax at initialisation only; the weights are free afterwards.
        draw = xavier_normal(users, len(projected_dims), seed=seed, name="user_modality_weight")
        self.user_modality_weight = nn.Parameter(torch.softmax(draw, dim=1))

    def first_layer(self, modality: str) -> nn.Linear:
        """The layer through which the backbone reads a modality's projected features ``e_m``."""
        layer = self.item_mlp[modality][0]  # type: ignore[index]
        assert isinstance(layer, nn.Linear)
        return layer

    def forward(
        self, read: Mapping[str, Float[Tensor, "items hidden"]], *, user_item: SparseGraph, item_item: SparseGraph
    ) -> Embeddings:
        """Embed all users and items.

        Args:
            read: modality -> output of ``first_layer`` for all items.
            user_item: normalised ``(U + I, U + I)`` graph.
            item_item: ``(I, I)`` graph, row = receiving item.
        """
        mapped = {m: through(self.item_mlp[m][1], F.leaky_relu(read[m])) for m in self.modalities}  # type: ignore[index]
        # One product serves all modalities: their columns stand side by side.  (U + I, modalities * L)
        x = unit_rows([[self.user_preference[m], mapped[m]] for m in self.modalities])
        total = propagate_sum(user_item, x, self.gnn_layers)

        # Split, not sliced: the gradients of two slices are two padded copies and their sum.
        user, item = total.split([self.users, len(total) - self.users])
        smoothed = item
        for _ in range(self.item_graph_layers):
            smoothed = propagate(item_item, smoothed)
        fused = item + smoothed if self.item_graph_layers > 0 else item
        item_parts = dict(zip(self.modalities, item.chunk(len(self.modalities), dim=1), strict=True))
        # A copy: the optimiser changes the parameter in place, and these embeddings are those of before.
        return Embeddings(user, self.user_modality_weight.clone(), fused, item_parts)

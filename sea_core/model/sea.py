"""SEA: the projections, a backbone that embeds, and the separation that shapes the projections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.graphs.item_item import item_graph
from sea_core.graphs.products import SparseGraph
from sea_core.graphs.user_item import user_item_graph
from sea_core.losses.bpr import bpr
from sea_core.model.backbone import Embeddings, GraphBackbone
from sea_core.model.features import Features, prepare_features, reduced
from sea_core.model.initialisation import linear
from sea_core.model.projection import read_projection
from sea_core.model.separation import Heads, Reader, Separation


class Inputs(NamedTuple):
    """The constants of a model, on its device: what it reads but does not learn.

    Attributes:
        features: what ``prepare_features`` made of the raw features.
        user_item: normalised ``(U + I, U + I)`` graph.
        item_item: ``(I, I)`` graph, row = receiving item.
    """

    features: Features
    user_item: SparseGraph
    item_item: SparseGraph


class Batch(NamedTuple):
    """Training pairs and their sampled negatives, matched by index."""

    user: Int[Tensor, " pairs"]
    positive: Int[Tensor, " pairs"]
    negative: Int[Tensor, " pairs"]


class Draws(NamedTuple):
    """The random choices of one step beside its batch.

    Attributes:
        permutations: modality -> permutation of the items that enter the distancing loss (CLUB's negative pairs).
        alignment_items, distance_items: ids of the items that enter each loss; None = all.
    """

    permutations: Mapping[str, Int[Tensor, " items"]]
    alignment_items: Int[Tensor, " sampled"] | None = None
    distance_items: Int[Tensor, " sampled"] | None = None


class Forward(NamedTuple):
    """One forward pass: the total loss, its unweighted terms (0-d each), the embeddings and the heads."""

    total: Float[Tensor, ""]
    terms: Mapping[str, Float[Tensor, ""]]
    embeddings: Embeddings
    heads: Heads


def make_inputs(config: Config, dataset: Dataset, *, device: str | torch.device) -> Inputs:
    """Build the graphs and move them and the features to the device."""
    weights = list(item_graph_weights(config, dataset.modalities).values())
    items = item_graph(dataset, knn_k=config.knn_k, weights=weights, method=config.neighbour_search)
    return Inputs(
        features=prepare_features(config, dataset, device=device),
        user_item=SparseGraph.from_scipy(user_item_graph(dataset.train_matrix), symmetric=True, device=device),
        item_item=SparseGraph.from_scipy(items, symmetric=False, device=device),
    )


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


class SEA(nn.Module):
    """Separate Learning for multimedia recommendation (arXiv 2406.08270).

    Holds weights only. ``forward`` gives a step's losses, ``encode`` the embeddings to evaluate.
    """

    def __init__(
        self,
        config: Config,
        *,
        users: int,
        feature_dims: Mapping[str, int],
        seed: int,
        bases: Mapping[str, Float[Tensor, "raw rank"]] | None = None,
    ) -> None:
        """Build the model with every module's initial weights drawn from its own stream of ``seed``.

        Args:
            config: the choices.
            users: ``U``.
            feature_dims: modality -> number of raw features ``d_m``, in model order.
            seed: of all initial weights.
            bases: those of the modalities whose features are reduced (``Inputs.features.bases``).

        Raises:
            UserError: a choice that needs two modalities meets another number, or a modality has one column only.
        """
        super().__init__()
        if config.club_fit_pairs == "cross_modal" and config.distancing == "club" and len(feature_dims) != 2:
            raise UserError(
                "club_fit_pairs 'cross_modal' (preset released) needs exactly two modalities, "
                f"got {list(feature_dims)}; use club_fit_pairs: evaluated"
            )
        for m, dim in feature_dims.items():
            if dim < 2:
                raise UserError(f"modality '{m}' has {dim} feature column; at least 2 are needed to split it")
        self.config = config
        self.modalities = tuple(feature_dims)
        projections = {m: linear(dim, dim, seed=seed, name=f"{m}/projection") for m, dim in feature_dims.items()}
        projections |= {m: reduced(projections[m], basis) for m, basis in (bases or {}).items()}
        self.projections = nn.ModuleDict(projections)
        self.backbone = GraphBackbone(
            users=users,
            projected_dims=feature_dims,
            latent_dim=config.latent_dim,
            item_mlp_hidden=config.item_mlp_hidden,
            gnn_layers=config.gnn_layers,
            item_graph_layers=config.item_graph_layers,
            seed=seed,
        )
        self.splits_features = config.split_stage == "features"
        dims = dict(feature_dims) if self.splits_features else dict.fromkeys(feature_dims, config.latent_dim)
        self.separation = Separation(config, dims, seed=seed)

    def main_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Names and parameters that the total loss trains: all but the CLUB net's."""
        for name, parameter in self.named_parameters():
            if not name.startswith("separation.club."):
                yield name, parameter

    def encode(self, inputs: Inputs) -> Embeddings:
        """Embeddings with the current weights; the separation's heads are not computed."""
        read = {m: self._read(inputs, m, [self._backbone_reader(m)])["backbone"] for m in self.modalities}
        return self.backbone(read, user_item=inputs.user_item, item_item=inputs.item_item)

    def forward(self, inputs: Inputs, batch: Batch, draws: Draws) -> Forward:
        """One pass over the full graph and the losses of one batch (docs/paper_to_code.md names the equations)."""
        separation = self.separation
        first = {}
        for m in self.modalities:
            readers = [self._backbone_reader(m), *(separation.readers(m) if self.splits_features else [])]
            first[m] = self._read(inputs, m, readers)
        embeddings = self.backbone(
            {m: first[m]["backbone"] for m in self.modalities}, user_item=inputs.user_item, item_item=inputs.item_item
        )
        if not self.splits_features:
            first = {
                m: {r.name: F.linear(part[:, r.columns], r.layer.weight, r.layer.bias) for r in separation.readers(m)}
                for m, part in embeddings.item_parts.items()
            }
        heads = separation.heads(first, alignment_items=draws.alignment_items, distance_items=draws.distance_items)

        user = embeddings.users(batch.user)
        positive, negative = embeddings.item.index_select(0, torch.cat([batch.positive, batch.negative])).chunk(2)
        total = terms_bpr = bpr(
            (user * positive).sum(dim=1), (user * negative).sum(dim=1), log_base=self.config.bpr_log_base
        )
        terms = {"bpr": terms_bpr}
        if separation.distances:
            bounds = separation.distance_bounds(heads, draws.permutations)
            clamped = self.config.club_clamp and separation.club is not None
            distances = {m: bound.clamp(min=0) if clamped else bound for m, bound in bounds.items()}
            terms |= {f"bound_{m}": value for m, value in bounds.items()}
            terms |= {f"distance_{m}": value for m, value in distances.items()}
            total = total + self.config.distance_weight * torch.stack(list(distances.values())).mean()
        if separation.aligns:
            terms["alignment"] = separation.alignment_loss(heads)
            total = total + self.config.alignment_weight * terms["alignment"]
        terms["total"] = total
        return Forward(total, terms, embeddings, heads)

    def _backbone_reader(self, modality: str) -> Reader:
        return Reader(
            "backbone", self.backbone.first_layer(modality), slice(0, self.projections[modality].out_features)
        )

    def _read(self, inputs: Inputs, modality: str, readers: list[Reader]) -> dict[str, Tensor]:
        projection = self.projections[modality]
        outputs = read_projection(
            inputs.features.values[modality],
            projection.weight,  # type: ignore[arg-type]
            projection.bias,  # type: ignore[arg-type]
            [(r.layer.weight, r.layer.bias, r.columns) for r in readers],
            precision=self.config.precision,
        )
        return {r.name: output for r, output in zip(readers, outputs, strict=True)}

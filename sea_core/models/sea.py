"""SEA: the projections, a backbone that embeds, and the separation that shapes the projections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.graphs.products import SparseGraph
from sea_core.graphs.user_item import user_item_graph
from sea_core.layers.backbone import Embeddings, GraphBackbone
from sea_core.layers.draws import Draws
from sea_core.layers.features import Features, prepare_features, reduced
from sea_core.layers.initialisation import linear
from sea_core.layers.item_graph import mixed_item_graph
from sea_core.layers.pair_scores import pair_scores
from sea_core.layers.projection import read_projection
from sea_core.layers.separation import Reader, Separation
from sea_core.losses.bpr import bpr
from sea_core.models.protocol import Batch, Forward, keys
from sea_core.models.registry import register
from sea_core.models.separated import SEPARATION_KEYS, SeparatedModel, check_separable


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


def make_inputs(config: Config, dataset: Dataset, *, device: str | torch.device) -> Inputs:
    """Build the graphs and move them and the features to the device."""
    item_item = mixed_item_graph(config, dataset, device=device)
    return Inputs(
        features=prepare_features(config, dataset, device=device),
        user_item=SparseGraph.from_scipy(user_item_graph(dataset.train_matrix), symmetric=True, device=device),
        item_item=item_item,
    )


@register
class SEA(SeparatedModel):
    """Separate Learning for multimedia recommendation (arXiv 2406.08270).

    Holds weights only. ``forward`` gives a step's losses, ``encode`` the embeddings to evaluate.
    """

    name = "sea"
    title = "SEA"
    paper = "Separate Learning for multimedia recommendation, arXiv 2406.08270 (later SAND)"
    reads = SEPARATION_KEYS | keys(
        "knn_k image_weight item_graph_weights neighbour_search feature_rank latent_dim item_mlp_hidden gnn_layers "
        "item_graph_layers split_stage bpr_log_base precision evaluation_embeddings"
    )
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "paper": {},
        # Where the authors' released code departs from the paper; docs/paper_to_code.md says why each matters.
        "released": {
            "club_fit_pairs": "cross_modal",
            "evaluation_embeddings": "last_batch",
            "stopping_decimals": 4,
            "bpr_log_base": "2",
        },
    }

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
        check_separable(config, feature_dims)
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

    @classmethod
    def prepare(cls, config: Config, dataset: Dataset, *, device: str | torch.device) -> Inputs:
        """Both graphs and the features."""
        return make_inputs(config, dataset, device=device)

    @classmethod
    def build(cls, config: Config, dataset: Dataset, inputs: Inputs, *, seed: int) -> SEA:
        """See ``__init__``, which takes sizes alone."""
        dims = {m: values.shape[1] for m, values in dataset.features.items()}
        return cls(config, users=dataset.users, feature_dims=dims, seed=seed, bases=inputs.features.bases)

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

        loss = bpr(*pair_scores(embeddings, batch), log_base=self.config.bpr_log_base)
        total, terms = separation.add_losses(loss, heads, draws.permutations)
        return Forward(total, {"bpr": loss, **terms, "total": total}, embeddings, heads)

    def split_embeddings(self, inputs: Inputs, items: Int[Tensor, " chosen"]) -> dict[str, Float[Tensor, "chosen _"]]:
        """Rows of the projected features, or of what the graph made of them."""
        if not self.splits_features:
            return {m: part.index_select(0, items) for m, part in self.encode(inputs).item_parts.items()}
        rows = {}
        for m in self.modalities:
            weight, bias = self.projections[m].weight, self.projections[m].bias
            features = inputs.features.values[m].index_select(0, items).to(weight.dtype)  # type: ignore[arg-type]
            rows[m] = F.linear(features, weight, bias)  # type: ignore[arg-type]
        return rows

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

"""FREEDOM: a frozen item graph of the features, and a user-item graph whose edges are dropped anew each epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.graphs.edge_dropping import Edges, count_kept, draw_edges, graph_of_edges, weighted_edges
from sea_core.graphs.products import SparseGraph, propagate, propagate_sum
from sea_core.graphs.user_item import MMREC_EPSILON, user_item_graph
from sea_core.layers.draws import Draws as SeparationDraws
from sea_core.layers.features import Features, raw_features
from sea_core.layers.initialisation import linear, xavier_uniform
from sea_core.layers.item_graph import mixed_item_graph
from sea_core.layers.pairwise import item_pairs, over_rows
from sea_core.layers.separation import Separation
from sea_core.losses.bpr import bpr
from sea_core.losses.registry import NONE
from sea_core.models.protocol import Batch, Encoded, Forward, TrainedModel, keys
from sea_core.models.registry import register
from sea_core.models.separated import SEPARATION_KEYS, SeparatedModel, check_separable, own_projections
from sea_core.streams import stream


class Inputs(NamedTuple):
    """The constants of a run.

    Attributes:
        features: raw features.
        user_item: the whole ``(U + I, U + I)`` graph.
        item_item: ``(I, I)`` graph of the raw features, row = receiving item.
        edges: of ``user_item``, on the CPU, with the weights by which they are drawn.
    """

    features: Features
    user_item: SparseGraph
    item_item: SparseGraph
    edges: Edges


@register
class FREEDOM(TrainedModel):
    """``u . (z_i + h_i)``: ``z`` as in LightGCN on a graph of few edges, ``h`` the items' vectors over the item graph.

    Further BPR terms hold users against linear maps of the item features (``modality_weight``), which are not scored.
    """

    name = "freedom"
    title = "FREEDOM"
    paper = "Zhou and Shen, ACM MM 2023, arXiv 2211.06924"
    reads = keys(
        "latent_dim gnn_layers item_graph_layers knn_k image_weight item_graph_weights neighbour_search edge_dropout "
        "modality_weight train_features"
    )
    reads_features = True
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "mmrec": {"edge_dropout": 0.8, "learning_rate": 1e-3, "stopping_decimals": 4},
        "paper": {"edge_dropout": 0.8, "modality_weight": 1e-3, "train_features": False, "learning_rate": 1e-3},
    }

    def __init__(self, config: Config, dataset: Dataset, *, seed: int, with_features: bool = False) -> None:
        """Draw the tables Xavier-uniformly, the maps as PyTorch's linear layers.

        Args:
            config: the choices.
            dataset: gives sizes, and features where they are trained.
            seed: of all initial weights.
            with_features: compute the BPR terms of the features even where they have no weight.
        """
        super().__init__()
        self.config, self.users = config, dataset.users
        dim = config.latent_dim
        self.user_embedding = nn.Parameter(xavier_uniform(dataset.users, dim, seed=seed, name="user_embedding"))
        self.item_embedding = nn.Parameter(xavier_uniform(dataset.items, dim, seed=seed, name="item_embedding"))
        self.tables, self.projections = nn.ParameterDict(), nn.ModuleDict()
        # A term without a weight is not computed, unless somebody wants to see it.
        self.compares_features = config.modality_weight > 0 or with_features
        if self.compares_features or self.maps_features(config):
            for m, raw in dataset.features.items():
                if config.train_features:
                    self.tables[m] = nn.Parameter(torch.tensor(raw, dtype=torch.float32))
                self.projections[m] = linear(raw.shape[1], dim, seed=seed, name=f"{m}/projection")

    @classmethod
    def maps_features(cls, config: Config) -> bool:
        """Whether something beside the BPR terms of the features reads their maps."""
        return False

    @classmethod
    def prepare(cls, config: Config, dataset: Dataset, *, device: str | torch.device) -> Inputs:
        """Both graphs, the features, and the edges to draw from."""
        edges = weighted_edges(dataset.train_matrix)
        count_kept(len(edges.user), config.edge_dropout)
        whole = user_item_graph(dataset.train_matrix, epsilon=MMREC_EPSILON)
        return Inputs(
            features=raw_features(dataset, device=device),
            user_item=SparseGraph.from_scipy(whole, symmetric=True, device=device),
            item_item=mixed_item_graph(config, dataset, device=device),
            edges=edges,
        )

    @classmethod
    def build(cls, config: Config, dataset: Dataset, inputs: Inputs, *, seed: int) -> FREEDOM:
        """See ``__init__``."""
        return cls(config, dataset, seed=seed)

    def draws_of_epoch(self, inputs: Inputs, *, seed: int, epoch: int) -> Callable[[Batch], Any]:
        """The epoch's user-item graph, from the stream ``edges/<epoch>``: equal for every arm of a seed."""
        graph = inputs.user_item
        if self.config.edge_dropout > 0:
            edges, generator = inputs.edges, stream(seed, f"edges/{epoch}")
            kept = draw_edges(edges, count_kept(len(edges.user), self.config.edge_dropout), generator)
            graph = self.pruned(edges, kept, device=self.user_embedding.device)
        return lambda batch: graph

    def pruned(self, edges: Edges, kept: Int[Tensor, " kept"], *, device: str | torch.device) -> SparseGraph:
        """The user-item graph of the kept edges alone."""
        items = len(self.item_embedding)
        matrix = graph_of_edges(edges.user[kept], edges.item[kept], users=self.users, items=items)
        return SparseGraph.from_scipy(matrix, symmetric=True, device=device)

    def encode(self, inputs: Inputs) -> Encoded:
        """Users ``z_u`` and items ``z_i + h_i`` over the whole graph."""
        return self.embed(inputs, inputs.user_item)

    def embed(self, inputs: Inputs, user_item: SparseGraph) -> Encoded:
        """The same over some user-item graph."""
        mean = self._propagated(user_item) / (self.config.gnn_layers + 1)
        user, item = mean.split([self.users, len(self.item_embedding)])
        return Encoded(user, item + self._over_item_graph(inputs))

    def forward(self, inputs: Inputs, batch: Batch, draws: Any) -> Forward:
        """BPR over the epoch's graph (``draws``), and on each modality's mapped features if they have a weight."""
        ids = item_pairs(batch)
        nodes = torch.cat([batch.user, ids + self.users])
        # Only the batch's rows are divided.
        mean = self._propagated(draws).index_select(0, nodes) / (self.config.gnn_layers + 1)
        user, item = mean.split([len(batch.user), len(ids)])
        loss = _bpr(user, item + self._over_item_graph(inputs).index_select(0, ids))
        compared = self.projections if self.compares_features else ()
        terms = {f"bpr_{m}": _bpr(user, self._mapped(inputs, m, ids)) for m in compared}
        total = loss
        if terms:
            total = loss + self.config.modality_weight * torch.stack(list(terms.values())).sum()
        return Forward(total, {"bpr": loss, **terms, "total": total})

    def _propagated(self, graph: SparseGraph) -> Float[Tensor, "nodes dim"]:
        return propagate_sum(graph, torch.cat([self.user_embedding, self.item_embedding]), self.config.gnn_layers)

    def _over_item_graph(self, inputs: Inputs) -> Float[Tensor, "items dim"]:
        """``h = M^n`` times the items' table."""
        result: Tensor = self.item_embedding
        for _ in range(self.config.item_graph_layers):
            result = propagate(inputs.item_item, result)
        return result

    def _table(self, inputs: Inputs, modality: str) -> Float[Tensor, "items raw"]:
        """A modality's features, trained or not."""
        return self.tables[modality] if modality in self.tables else inputs.features.values[modality]

    def _mapped(self, inputs: Inputs, modality: str, ids: Int[Tensor, " chosen"]) -> Float[Tensor, "chosen dim"]:
        """``W_m x_i + b_m`` of some items."""
        return over_rows(self.projections[modality], self._table(inputs, modality), ids)


class Draws(NamedTuple):
    """The draws of a step of FREEDOM with SEA: the epoch's user-item graph, and what the separation draws."""

    user_item: SparseGraph
    separation: SeparationDraws


@register
class FREEDOMWithSEA(SeparatedModel, FREEDOM):
    """FREEDOM whose maps of the features are shaped by SEA's losses; what is scored is FREEDOM's own.

    Scores read neither these maps nor the trained features: SEA's losses reach them only through the users' vectors,
    and only where the BPR terms of the features have a weight.
    """

    name = "freedom+sea"
    title = "FREEDOM + SEA"
    paper = "FREEDOM (arXiv 2211.06924) with the losses of SEA (arXiv 2406.08270)"
    reads = FREEDOM.reads | SEPARATION_KEYS | keys("separation_input")
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "mmrec": {**FREEDOM.presets["mmrec"], "modality_weight": 1e-3},
        "paper": FREEDOM.presets["paper"],
        # What the log of SEA says of this run (docs/models.md). It had no variational net, so its distancing
        # was not CLUB; which it was is not known, and the cheap one stands here, with the weights of the VBPR run.
        "logged": {
            **FREEDOM.presets["mmrec"],
            "separation_input": "own",
            "align_hidden": 33,
            "align_out": 63,
            "alignment_weight": 0.1,
            "temperature": 0.1,
            "distancing": "negative_l2",
            "distance_weight": 0.01,
        },
    }

    def __init__(self, config: Config, dataset: Dataset, *, seed: int, with_features: bool = False) -> None:
        """As ``FREEDOM``; everything that the two share has the same initial values."""
        feature_dims = {m: values.shape[1] for m, values in dataset.features.items()}
        check_separable(config, feature_dims)
        super().__init__(config, dataset, seed=seed, with_features=with_features)
        self.separation = Separation(config, dict.fromkeys(feature_dims, config.latent_dim), seed=seed)
        self.separates = self.separation.aligns or self.separation.distances
        if config.separation_input == "own" and self.separates:
            self.own_projections = own_projections(config, feature_dims, seed=seed)

    @classmethod
    def maps_features(cls, config: Config) -> bool:
        """The separation reads them, unless it has maps of its own."""
        return config.separation_input == "shared" and (config.alignment != NONE or config.distancing != NONE)

    def draws_of_epoch(self, inputs: Inputs, *, seed: int, epoch: int) -> Callable[[Batch], Any]:
        """The graph of FREEDOM's epoch, and the separation's draws of each step."""
        graph = FREEDOM.draws_of_epoch(self, inputs, seed=seed, epoch=epoch)
        separation = SeparatedModel.draws_of_epoch(self, inputs, seed=seed, epoch=epoch)
        return lambda batch: Draws(graph(batch), separation(batch))

    def forward(self, inputs: Inputs, batch: Batch, draws: Draws) -> Forward:
        """FREEDOM's losses and SEA's."""
        forward = super().forward(inputs, batch, draws.user_item)
        return (
            self.with_separation(forward, self._embeddings(inputs, None), draws.separation)
            if self.separates
            else forward
        )

    def split_embeddings(self, inputs: Inputs, items: Int[Tensor, " chosen"]) -> dict[str, Float[Tensor, "chosen _"]]:
        """Modality -> its mapped features."""
        return self._embeddings(inputs, items)

    def _embeddings(self, inputs: Inputs, ids: Int[Tensor, " chosen"] | None) -> dict[str, Float[Tensor, "items dim"]]:
        if not self.separates:
            return {}
        own = self.config.separation_input == "own"
        layers = self.own_projections if own else self.projections
        tables = {m: inputs.features.values[m] if own else self._table(inputs, m) for m in self.separation.modalities}
        return {m: layers[m](table if ids is None else table.index_select(0, ids)) for m, table in tables.items()}


def _bpr(user: Float[Tensor, "pairs dim"], items: Float[Tensor, "twice_pairs dim"]) -> Float[Tensor, ""]:
    positive, negative = items.chunk(2)
    return bpr((user * positive).sum(dim=1), (user * negative).sum(dim=1))

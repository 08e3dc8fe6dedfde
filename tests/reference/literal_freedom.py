"""FREEDOM written down as its text reads (tests/golden/models_README.md), with nothing but ordinary PyTorch."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tests.reference.literal_bpr import xavier_uniform
from tests.reference.literal_lightgcn import LiteralLightGCN, as_arrays, edge_values, normalised


class LiteralFREEDOM(LiteralLightGCN):
    """Feature tables are trained, and all their rows are mapped in every step."""

    USER, ITEM, LAYERS = "user_embedding.weight", "item_id_embedding.weight", "n_ui_layers"

    def draw(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Initial weights; builds the graphs and draws the epoch's edges as well."""
        data, settings = self.data, self.settings
        pairs = (data.train_user, data.train_item)
        self.adjacency = normalised(*pairs, data.users, data.items, dtype=np.float64)
        self.edge_weight = edge_values(*pairs, data.users, data.items, dtype=np.float32)
        self.item_graphs = {m: self.neighbours(values) for m, values in data.features.items()}
        if len(self.item_graphs) == 2:
            w = settings["mm_image_weight"]
            self.mixed = (w * self.item_graphs["image"] + (1 - w) * self.item_graphs["text"]).coalesce()
        else:
            (self.mixed,) = self.item_graphs.values()
        self.begin_epoch(generator)
        weights = {
            self.USER: xavier_uniform(data.users, self.dim, generator),
            self.ITEM: xavier_uniform(data.items, self.dim, generator),
        }
        for m in [m for m in ("image", "text") if m in data.features]:
            width = data.features[m].shape[1]
            weights[f"{m}_embedding.weight"] = torch.tensor(data.features[m])
            for name, shape in (("weight", (self.dim, width)), ("bias", (self.dim,))):
                weights[f"{m}_trs.{name}"] = (torch.rand(shape, generator=generator) * 2 - 1) / width**0.5
        return weights

    def begin_epoch(self, generator: torch.Generator) -> None:
        """Draw the edges of an epoch."""
        data, dropout = self.data, self.settings["dropout"]
        self.kept, self.pruned = None, self.adjacency
        if dropout > 0:
            count = int(len(data.train_user) * (1 - dropout))
            self.kept = torch.multinomial(torch.from_numpy(self.edge_weight), count, generator=generator).numpy()
            kept = data.train_user[self.kept], data.train_item[self.kept]
            self.pruned = normalised(*kept, data.users, data.items, dtype=np.float32)

    def neighbours(self, features: np.ndarray) -> Tensor:
        """Each item's k nearest by cosine, itself among them, 1/k each; in blocks, for benchmarks."""
        k, items = self.settings["knn_k"], self.data.items
        unit = torch.from_numpy(features)
        unit = unit / unit.norm(dim=1, keepdim=True)
        nearest = torch.cat([torch.topk(block @ unit.T, k, dim=1).indices for block in unit.split(4096)])
        rows = torch.arange(items).repeat_interleave(k)
        factor = torch.full((items * k,), k**-0.5)
        indices = torch.stack([rows, nearest.flatten()])
        return torch.sparse_coo_tensor(indices, factor * factor, (items, items), check_invariants=True).coalesce()

    def representation(self, *, training: bool) -> tuple[Tensor, Tensor]:
        """Users, and items plus what the item graph gives them."""
        user, item = self.mean_over(self.pruned if training else self.adjacency)
        h = self.weights[self.ITEM]
        for _ in range(self.settings["n_mm_layers"]):
            h = torch.sparse.mm(self.mixed, h)
        return user, item + h

    def loss(self, user: Tensor, positive: Tensor, negative: Tensor) -> dict[str, Tensor]:
        """BPR on what is scored, and on each modality's mapped features."""
        users, items = self.representation(training=True)
        terms = {"bpr": plain_bpr(users[user], items[positive], items[negative])}
        total = 0.0
        for m in [m for m in ("text", "image") if m in self.data.features]:
            table, weight, bias = (
                self.weights[f"{m}_{rest}"] for rest in ("embedding.weight", "trs.weight", "trs.bias")
            )
            mapped = torch.nn.functional.linear(table, weight, bias)
            terms[f"bpr_{m}"] = plain_bpr(users[user], mapped[positive], mapped[negative])
            total = total + terms[f"bpr_{m}"]
        return {**terms, "total": terms["bpr"] + self.settings["reg_weight"] * total}

    def graphs(self) -> dict[str, np.ndarray]:
        """Both graphs, the edges, and which were kept."""
        arrays = as_arrays("graph/user_item", self.adjacency) | as_arrays("graph/item/mixed", self.mixed)
        for m, graph in self.item_graphs.items():
            arrays |= as_arrays(f"graph/item/{m}", graph)
        arrays |= {"graph/edge/user": self.data.train_user, "graph/edge/item": self.data.train_item}
        arrays |= {
            "graph/edge/weight": self.edge_weight,
            "graph/edge/probability": self.edge_weight / self.edge_weight.sum(),
        }
        if self.kept is not None:
            arrays |= {"graph/pruned/kept": self.kept, **as_arrays("graph/pruned", self.pruned)}
        return arrays


def plain_bpr(user: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """``ln(1 + exp(-m))``."""
    margin = (user * positive).sum(dim=1) - (user * negative).sum(dim=1)
    return torch.log(1 + torch.exp(-margin)).mean()

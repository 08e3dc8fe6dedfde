"""SEA written down as its specification reads, with nothing but ordinary PyTorch.

The slow twin of ``sea_core.models.sea`` and ``sea_core.training.step``: the projection is materialised, the softmax is
whole, CLUB is fitted by autograd and PyTorch's own Adam. Tests compare the two; benchmarks measure one by the other.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn
from torch.nn import functional

from sea_core.config import Config
from sea_core.layers.draws import Draws
from sea_core.models.protocol import Batch
from sea_core.models.sea import SEA


class LiteralModality(nn.Module):
    """What one modality owns."""

    def __init__(self, config: Config, users: int, dim: int) -> None:
        super().__init__()
        latent, hidden = config.latent_dim, config.align_hidden
        split_dim = dim if config.split_stage == "features" else latent
        self.split = min(max(math.floor(config.split_ratio * split_dim + 0.5), 1), split_dim - 1)
        self.projection = nn.Linear(dim, dim)
        self.user_preference = nn.Parameter(torch.empty(users, latent))
        self.item_mlp = nn.Sequential(
            nn.Linear(dim, config.item_mlp_hidden), nn.LeakyReLU(0.01), nn.Linear(config.item_mlp_hidden, latent)
        )
        self.align_head = nn.Sequential(
            nn.Linear(self.split, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, config.align_out),
        )
        self.generic_head = nn.Linear(self.split, config.distance_dim)
        self.unique_head = nn.Linear(split_dim - self.split, config.distance_dim)


class LiteralClub(nn.Module):
    """The variational net."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.mean = nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, dim))
        self.log_variance = nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, dim), nn.Tanh())

    def log_likelihood(self, x: Tensor, y: Tensor) -> Tensor:
        """``ll(x_i, y_i)`` for each row."""
        log_variance = self.log_variance(x)
        return (-((self.mean(x) - y) ** 2) / (2 * torch.exp(log_variance)) - log_variance / 2).sum(dim=1)


class LiteralSEA(nn.Module):
    """The model, with the initial weights of ``fast``."""

    def __init__(self, fast: SEA, train_matrix: sp.csr_array, item_graph: sp.csr_array) -> None:
        super().__init__()
        self.config = fast.config
        self.modalities = fast.modalities
        users = train_matrix.shape[0]
        dims = {m: fast.projections[m].in_features for m in self.modalities}
        self.parts = nn.ModuleDict({m: LiteralModality(self.config, users, dims[m]) for m in self.modalities})
        self.club = LiteralClub(self.config.distance_dim, self.config.club_hidden)
        self.user_modality_weight = nn.Parameter(torch.empty(users, len(self.modalities)))
        self.to(fast.backbone.user_modality_weight.dtype)
        with torch.no_grad():
            for name, parameter in self.counterparts(fast).items():
                parameter.copy_(dict(fast.named_parameters())[name])
        self.users = users
        self.user_item = _sparse(normalised_adjacency(train_matrix), self.user_modality_weight.dtype)
        self.item_item = _sparse(item_graph, self.user_modality_weight.dtype)

    def counterparts(self, fast: SEA) -> dict[str, nn.Parameter]:
        """The fast model's parameter names and the parameter of this model that plays the same role."""
        places = {"backbone.user_modality_weight": self.user_modality_weight}
        for net, layer, kind in itertools.product(("mean", "log_variance"), (0, 1), ("weight", "bias")):
            places[f"separation.club.{net}.{layer}.{kind}"] = getattr(getattr(self.club, net)[2 * layer], kind)
        for m in self.modalities:
            part = self.parts[m]
            places[f"backbone.user_preference.{m}"] = part.user_preference
            modules = {f"projections.{m}": part.projection}
            modules |= {f"backbone.item_mlp.{m}.{i}": part.item_mlp[2 * i] for i in (0, 1)}
            modules |= {f"separation.align_head.{m}.layers.{i}": part.align_head[3 * i] for i in (0, 1, 2)}
            modules |= {f"separation.align_head.{m}.norms.{i}": part.align_head[3 * i + 1] for i in (0, 1)}
            modules |= {f"separation.{kind}_head.{m}": getattr(part, f"{kind}_head") for kind in ("generic", "unique")}
            for name, module in modules.items():
                places |= {f"{name}.weight": module.weight, f"{name}.bias": module.bias}
        return {name: places[name] for name, _ in fast.named_parameters()}

    def forward(self, features: Mapping[str, Tensor], batch: Batch, draws: Draws) -> dict[str, Tensor]:
        """The total loss and its unweighted terms; the pairs CLUB is to be fitted on stay in ``club_pairs``."""
        config = self.config
        projected, propagated = {}, {}
        for m in self.modalities:
            part = self.parts[m]
            projected[m] = part.projection(features[m])
            x = torch.cat([part.user_preference, part.item_mlp(projected[m])])
            x = functional.normalize(x, dim=1)
            propagated[m] = x
            for _ in range(config.gnn_layers):
                x = torch.sparse.mm(self.user_item, x)
                propagated[m] = propagated[m] + x

        weight = self.user_modality_weight
        user = torch.cat([weight[:, [n]] * propagated[m][: self.users] for n, m in enumerate(self.modalities)], dim=1)
        item = c = torch.cat([propagated[m][self.users :] for m in self.modalities], dim=1)
        if config.item_graph_layers > 0:
            for _ in range(config.item_graph_layers):
                c = torch.sparse.mm(self.item_item, c)
            item = item + c
        positive = (user[batch.user] * item[batch.positive]).sum(dim=1)
        negative = (user[batch.user] * item[batch.negative]).sum(dim=1)
        log_base = math.log(2) if config.bpr_log_base == "2" else 1
        terms = {"bpr": -functional.logsigmoid(positive - negative).mean() / log_base}
        total = terms["bpr"]

        aligned, generic, unique = {}, {}, {}
        for m in self.modalities:
            part = self.parts[m]
            split_from = projected[m] if config.split_stage == "features" else propagated[m][self.users :]
            g, q = split_from[:, : part.split], split_from[:, part.split :]
            aligned[m] = part.align_head(_rows(g, draws.alignment_items))
            generic[m] = part.generic_head(_rows(g, draws.distance_items))
            unique[m] = part.unique_head(_rows(q, draws.distance_items))

        alignments = []
        for earlier, later in itertools.combinations(self.modalities, 2):
            t, v = functional.normalize(aligned[later], dim=1), functional.normalize(aligned[earlier], dim=1)
            logits = t @ v.T / config.temperature
            alignments.append(functional.cross_entropy(logits, torch.arange(len(logits))))
        if alignments:
            terms["alignment"] = torch.stack(alignments).mean()
            total = total + config.alignment_weight * terms["alignment"]

        for m in self.modalities:
            matched = self.club.log_likelihood(generic[m], unique[m])
            shuffled = self.club.log_likelihood(generic[m], unique[m][draws.permutations[m]])
            bound = (matched - shuffled).mean() / 2
            terms[f"distance_{m}"] = bound.clamp(min=0) if config.club_clamp else bound
        distances = torch.stack([terms[f"distance_{m}"] for m in self.modalities])
        terms["total"] = total + config.distance_weight * distances.mean()

        if config.club_fit_pairs == "cross_modal":
            image, text = self.modalities
            self.club_pairs = [(generic[text], generic[image]), (unique[text], unique[image])]
        else:
            self.club_pairs = [(generic[m], unique[m]) for m in self.modalities]
        return terms


class LiteralStepper:
    """Trains the model, and fits CLUB, with PyTorch's Adam."""

    def __init__(self, model: LiteralSEA) -> None:
        config = model.config
        self.model = model
        settings = {"betas": (config.adam_beta1, config.adam_beta2), "eps": config.adam_eps}
        main = [p for name, p in model.named_parameters() if not name.startswith("club.")]
        self.optimiser = torch.optim.Adam(main, lr=config.learning_rate, **settings)
        club_rate = config.learning_rate if config.club_learning_rate is None else config.club_learning_rate
        self.club_optimiser = torch.optim.Adam(model.club.parameters(), lr=club_rate, **settings)

    def step(self, features: Mapping[str, Tensor], batch: Batch, draws: Draws) -> dict[str, Tensor]:
        """One training step; the terms are those before any update, and ``club_fit`` beside them."""
        self.optimiser.zero_grad()
        terms = self.model(features, batch, draws)
        terms["total"].backward()
        pairs = [(x.detach(), y.detach()) for x, y in self.model.club_pairs]
        club_fit = torch.zeros(())
        for _ in range(self.model.config.club_steps):
            self.club_optimiser.zero_grad()
            club_fit = sum(-self.model.club.log_likelihood(x, y).mean() for x, y in pairs)
            club_fit.backward()
            self.club_optimiser.step()
        self.optimiser.step()
        return {name: value.detach() for name, value in {**terms, "club_fit": club_fit}.items()}


def normalised_adjacency(train_matrix: sp.csr_array) -> sp.coo_array:
    """``D^-1/2 A D^-1/2`` of the bipartite graph, edge by edge."""
    users, items = train_matrix.shape
    pairs = sp.coo_array(train_matrix)
    user, item = pairs.row, pairs.col + users
    degree = np.bincount(np.concatenate([user, item]), minlength=users + items)
    value = 1 / np.sqrt(degree[user] * degree[item])
    rows, columns = np.concatenate([user, item]), np.concatenate([item, user])
    return sp.coo_array((np.concatenate([value, value]), (rows, columns)), shape=(users + items, users + items))


def _rows(values: Tensor, items: Tensor | None) -> Tensor:
    return values if items is None else values[items]


def _sparse(matrix: sp.sparray, dtype: torch.dtype) -> Tensor:
    coo = sp.coo_array(matrix)
    indices = torch.from_numpy(np.stack([coo.row, coo.col]).astype(np.int64))
    return torch.sparse_coo_tensor(
        indices, torch.from_numpy(coo.data).to(dtype), coo.shape, check_invariants=True
    ).coalesce()

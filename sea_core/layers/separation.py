"""SEA's separation: split each modality, pull generic parts together, push generic and unique parts apart.

Independent of the backbone: it needs, for each modality, the split embedding, which it reads through the first layers
of its heads (``readers``), and it returns losses.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from sea_core.config import Config
from sea_core.kernels.matmul import through
from sea_core.layers.initialisation import linear
from sea_core.losses.club import VariationalNet, club_bound
from sea_core.losses.registry import ALIGNMENTS, CLUB, DISTANCINGS, NONE


def split_point(dim: int, split_ratio: float) -> int:
    """Number of generic dimensions ``s`` out of ``dim``: rounded half up, at least one on either side."""
    return min(max(math.floor(split_ratio * dim + 0.5), 1), dim - 1)


class Reader(NamedTuple):
    """A linear layer that reads some columns of a modality's embedding."""

    name: str
    layer: nn.Linear
    columns: slice


class Heads(NamedTuple):
    """Outputs of the heads, modality -> tensor; empty where the loss that reads them is removed."""

    aligned: Mapping[str, Float[Tensor, "items out"]]
    generic: Mapping[str, Float[Tensor, "items dim"]]
    unique: Mapping[str, Float[Tensor, "items dim"]]


class AlignmentHead(nn.Module):
    """Linear, BatchNorm, ReLU, twice, then linear; the first linear layer is applied by the caller (see ``Reader``)."""

    def __init__(self, inputs: int, *, hidden: int, out: int, seed: int, name: str) -> None:
        super().__init__()
        widths = [inputs, hidden, hidden, out]
        self.layers = nn.ModuleList(
            [linear(a, b, seed=seed, name=f"{name}/{i}") for i, (a, b) in enumerate(itertools.pairwise(widths))]
        )
        # Always the statistics of the items at hand: the head is never used outside training.
        self.norms = nn.ModuleList([nn.BatchNorm1d(hidden, track_running_stats=False) for _ in range(2)])

    def forward(self, read: Float[Tensor, "items hidden"]) -> Float[Tensor, "items out"]:
        """Continue from the first layer's output."""
        # Readers return columns of one wide tensor, over which batch norm takes ten times as long.
        hidden = F.relu(self.norms[0](read.contiguous()))
        hidden = F.relu(self.norms[1](through(self.layers[1], hidden)))
        return through(self.layers[2], hidden)


class Separation(nn.Module):
    """The heads and, for CLUB, the variational net. Parts that a config removes are not built."""

    def __init__(self, config: Config, dims: Mapping[str, int], *, seed: int) -> None:
        """Build the heads for embeddings of ``dims[modality]`` columns."""
        super().__init__()
        self.config = config
        self.modalities: Sequence[str] = tuple(dims)
        self.splits = {m: split_point(dim, config.split_ratio) for m, dim in dims.items()}
        self.dims = dict(dims)
        # With one modality there is no pair to align.
        self.aligns = config.alignment != NONE and len(dims) > 1
        self.distances = config.distancing != NONE
        self.align_head, self.generic_head, self.unique_head = nn.ModuleDict(), nn.ModuleDict(), nn.ModuleDict()
        for m, dim in dims.items():
            s = self.splits[m]
            if self.aligns:
                self.align_head[m] = AlignmentHead(
                    s, hidden=config.align_hidden, out=config.align_out, seed=seed, name=f"{m}/align_head"
                )
            if self.distances:
                self.generic_head[m] = linear(s, config.distance_dim, seed=seed, name=f"{m}/generic_head")
                self.unique_head[m] = linear(dim - s, config.distance_dim, seed=seed, name=f"{m}/unique_head")
        self.club: VariationalNet | None = None
        if config.distancing == CLUB:
            with torch.random.fork_rng(devices=[]):  # PyTorch's own initialisation draws from the global generator
                self.club = VariationalNet(config.distance_dim, config.club_hidden)
            for name, module in self.club.named_modules():
                if isinstance(module, nn.Linear):
                    drawn = linear(module.in_features, module.out_features, seed=seed, name=f"club/{name}")
                    module.load_state_dict(drawn.state_dict())

    def readers(self, modality: str) -> list[Reader]:
        """The first layers that read a modality's embedding, generic columns first."""
        s = self.splits[modality]
        generic, unique = slice(0, s), slice(s, self.dims[modality])
        readers = []
        if self.aligns:
            readers.append(Reader("align", self.align_head[modality].layers[0], generic))  # type: ignore[index,arg-type]
        if self.distances:
            readers.append(Reader("generic", self.generic_head[modality], generic))  # type: ignore[arg-type]
            readers.append(Reader("unique", self.unique_head[modality], unique))  # type: ignore[arg-type]
        return readers

    def heads(
        self,
        read: Mapping[str, Mapping[str, Float[Tensor, "items _"]]],
        *,
        alignment_items: Int[Tensor, " aligned"] | None,
        distance_items: Int[Tensor, " distanced"] | None,
    ) -> Heads:
        """Finish the heads from what their first layers read.

        Args:
            read: modality -> reader name -> output for all items.
            alignment_items, distance_items: the items that enter each loss; None = all.
        """
        aligned = {m: self.align_head[m](_rows(read[m]["align"], alignment_items)) for m in self.align_head}
        generic = {m: _rows(read[m]["generic"], distance_items) for m in self.generic_head}
        unique = {m: _rows(read[m]["unique"], distance_items) for m in self.unique_head}
        return Heads(aligned, generic, unique)

    def alignment_loss(self, heads: Heads) -> Float[Tensor, ""]:
        """Mean over the pairs of modalities; the later modality gives the rows, the earlier the columns."""
        loss = ALIGNMENTS[self.config.alignment]
        pairs = itertools.combinations(self.modalities, 2)
        terms = [
            loss(heads.aligned[later], heads.aligned[earlier], temperature=self.config.temperature)
            for earlier, later in pairs
        ]
        return torch.stack(terms).mean()

    def distance_bounds(
        self, heads: Heads, permutations: Mapping[str, Int[Tensor, " items"]]
    ) -> dict[str, Float[Tensor, ""]]:
        """Distancing loss of each modality, before any clamping."""
        if self.club is not None:
            return {
                m: club_bound(self.club, heads.generic[m], heads.unique[m], permutations[m]) for m in self.modalities
            }
        loss = DISTANCINGS[self.config.distancing]
        return {m: loss(heads.generic[m], heads.unique[m]) for m in self.modalities}

    def add_losses(
        self,
        total: Float[Tensor, ""],
        heads: Heads,
        permutations: Mapping[str, Int[Tensor, " items"]],
    ) -> tuple[Float[Tensor, ""], dict[str, Float[Tensor, ""]]]:
        """The backbone's loss plus the weighted losses of the separation, and their unweighted terms."""
        terms: dict[str, Tensor] = {}
        if self.distances:
            bounds = self.distance_bounds(heads, permutations)
            clamped = self.config.club_clamp and self.club is not None
            distances = {m: bound.clamp(min=0) if clamped else bound for m, bound in bounds.items()}
            terms |= {f"bound_{m}": value for m, value in bounds.items()}
            terms |= {f"distance_{m}": value for m, value in distances.items()}
            total = total + self.config.distance_weight * torch.stack(list(distances.values())).mean()
        if self.aligns:
            terms["alignment"] = self.alignment_loss(heads)
            total = total + self.config.alignment_weight * terms["alignment"]
        return total, terms

    def club_pairs(self, heads: Heads) -> list[tuple[Tensor, Tensor]]:
        """The pairs ``(x, y)`` on which CLUB's net is fitted, detached."""
        generic = {m: value.detach() for m, value in heads.generic.items()}
        unique = {m: value.detach() for m, value in heads.unique.items()}
        if self.config.club_fit_pairs == "evaluated":
            return [(generic[m], unique[m]) for m in self.modalities]
        first, second = self.modalities
        return [(generic[second], generic[first]), (unique[second], unique[first])]


def _rows(values: Tensor, items: Tensor | None) -> Tensor:
    return values if items is None else values.index_select(0, items)

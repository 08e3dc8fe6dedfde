"""A user-item graph of a random part of the edges, of which those between unpopular nodes are kept rather."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sea_core.errors import UserError
from sea_core.graphs.user_item import MMREC_EPSILON


class Edges(NamedTuple):
    """The distinct training pairs, by user, then item, and how readily each is kept: ``1 / sqrt(deg_u deg_i)``."""

    user: Int[Tensor, " edges"]
    item: Int[Tensor, " edges"]
    weight: Float[Tensor, " edges"]


def weighted_edges(train_matrix: sp.csr_array) -> Edges:
    """The edges of a binary ``(users, items)`` matrix."""
    user, item = train_matrix.nonzero()
    weight = _edge_values(user, item, *train_matrix.shape)
    return Edges(
        torch.from_numpy(user.astype(np.int64)), torch.from_numpy(item.astype(np.int64)), torch.from_numpy(weight)
    )


def count_kept(edges: int, dropout: float) -> int:
    """``edges (1 - dropout)`` in double precision, its fraction cut off (305 at 0.8 gives 60, as in MMRec).

    Raises:
        UserError: nothing is kept.
    """
    kept = int(edges * (1 - dropout))
    if kept < 1:
        raise UserError(f"edge_dropout {dropout} keeps none of the {edges} training edges; lower it")
    return kept


def draw_edges(edges: Edges, kept: int, generator: torch.Generator) -> Int[Tensor, " kept"]:
    """Indices of ``kept`` edges without replacement, each drawn in proportion to its weight among those that are left.

    By exponential clocks (Efraimidis and Spirakis, 2006), so that of two numbers of edges the smaller draw is the
    beginning of the larger.
    """
    clocks = torch.empty(len(edges.weight), dtype=torch.float64).exponential_(generator=generator)
    return torch.topk(clocks / edges.weight, kept, largest=False).indices


def graph_of_edges(user: Int[Tensor, " kept"], item: Int[Tensor, " kept"], *, users: int, items: int) -> sp.csr_array:
    """The normalised ``(U + I, U + I)`` graph of some edges alone: degrees are counted among them."""
    rows, columns = user.numpy(), item.numpy()
    values = _edge_values(rows, columns, users, items)
    both = np.concatenate([rows, columns + users]), np.concatenate([columns + users, rows])
    return sp.coo_array((np.concatenate([values, values]), both), shape=(users + items, users + items)).tocsr()


def _edge_values(user: np.ndarray, item: np.ndarray, users: int, items: int) -> Float[np.ndarray, " edges"]:
    user_degree = np.bincount(user, minlength=users) + MMREC_EPSILON
    item_degree = np.bincount(item, minlength=items) + MMREC_EPSILON
    return (
        ((user_degree**-0.5)[user] * (item_degree**-0.5)[item]).astype(np.float32)
        if len(user)
        else np.zeros(0, np.float32)
    )

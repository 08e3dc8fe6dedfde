"""An alpha graph: which hypothesis is tested at which level, and where its level goes when it is rejected.

Every node is a null hypothesis. The weights say how the whole level is shared at the start; an edge says which part of
a node's level moves along it once the node is rejected. Whatever the order of rejections, the probability of rejecting
any true hypothesis stays below the whole level. Holm's correction, fixed sequences and gatekeeping are all such graphs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

_EXACT = 1e-12  # sums of weights and edges may miss 1 by this much


class AlphaGraph(NamedTuple):
    """Null hypotheses, their shares of the level, and the edges between them.

    Attributes:
        weights: share of the level at the start, summing to at most 1.
        edges: row ``i`` says which part of the level of node ``i`` goes where; rows sum to at most 1, no loops.
    """

    weights: Float[np.ndarray, " nodes"]
    edges: Float[np.ndarray, "nodes nodes"]


class Decisions(NamedTuple):
    """What a graph rejects at one level.

    Attributes:
        adjusted: smallest whole level at which the node would be rejected; NaN without a p-value.
        rejected: whether ``adjusted`` is at most the level.
        local: level of each node after all rejections; for a rejected node that at which it was rejected.
        reached: whether any level ever reached the node; a node that was not reached is descriptive.
    """

    adjusted: Float[np.ndarray, " nodes"]
    rejected: Bool[np.ndarray, " nodes"]
    local: Float[np.ndarray, " nodes"]
    reached: Bool[np.ndarray, " nodes"]


def check_graph(graph: AlphaGraph) -> None:
    """Raises: ValueError if weights or edges do not make an alpha graph."""
    nodes = len(graph.weights)
    if graph.edges.shape != (nodes, nodes):
        raise ValueError(f"{nodes} nodes need {nodes} x {nodes} edges, got shape {graph.edges.shape}")
    if (graph.weights < 0).any() or graph.weights.sum() > 1 + _EXACT:
        raise ValueError(f"weights must be >= 0 and sum to at most 1, got {graph.weights}")
    if (graph.edges < 0).any() or (graph.edges.sum(axis=1) > 1 + _EXACT).any() or np.diag(graph.edges).any():
        raise ValueError("edges must be >= 0 without loops, and each row must sum to at most 1")


def decide(graph: AlphaGraph, p: Float[np.ndarray, " nodes"], *, alpha: float, adjust_all: bool = True) -> Decisions:
    """Reject whatever the graph allows at the whole level ``alpha``.

    Args:
        graph: weights and edges.
        p: p-value of each node (of a sequential design: its sequential p-value); NaN is never rejected.
        alpha: level of the whole procedure.
        adjust_all: also adjust the p-values of nodes that are not rejected; without it they keep 1, which is quicker.

    Source: Bretz, Maurer, Brannath and Posch (2009), algorithm 1 and its adjusted p-values.

    Raises:
        ValueError: not an alpha graph, or the p-values are not one a node.
    """
    check_graph(graph)
    if p.shape != graph.weights.shape:
        raise ValueError(f"{len(graph.weights)} nodes need as many p-values, got {len(p)}")
    weights, edges = graph.weights.astype(np.float64).copy(), graph.edges.astype(np.float64).copy()
    adjusted = np.where(np.isnan(p), np.nan, 1.0)
    rejected = np.zeros(len(p), dtype=bool)
    local = weights * alpha
    reached = weights > 0
    remaining = np.ones(len(p), dtype=bool)
    worst = 0.0
    while True:
        open_nodes = remaining & ~np.isnan(p) & (weights > 0)
        if not open_nodes.any():
            break
        ratio = np.full(len(p), np.inf)
        with np.errstate(over="ignore"):  # next to no weight: no level rejects the node
            ratio[open_nodes] = p[open_nodes] / weights[open_nodes]
        node = int(np.argmin(ratio))
        worst = max(worst, float(ratio[node]))
        if worst > alpha and not adjust_all:
            break
        adjusted[node] = min(worst, 1.0)
        if worst <= alpha:
            rejected[node] = True
            local[node] = weights[node] * alpha
        remaining[node] = False
        weights, edges = _without(node, weights, edges)
        if worst <= alpha:
            local[remaining] = weights[remaining] * alpha
            reached |= remaining & (weights > 0)
    return Decisions(adjusted, rejected, local, reached)


def _without(
    node: int, weights: Float[np.ndarray, " nodes"], edges: Float[np.ndarray, "nodes nodes"]
) -> tuple[Float[np.ndarray, " nodes"], Float[np.ndarray, "nodes nodes"]]:
    """The graph after ``node`` is taken out: its level moves along its edges, and paths through it become edges."""
    moved = weights + weights[node] * edges[node]
    moved[node] = 0.0
    back = edges[:, node] * edges[node, :]  # what would return to where it came from
    through = edges + np.outer(edges[:, node], edges[node])
    scale = 1 - back
    joined = np.divide(through, scale[:, None], out=np.zeros_like(edges), where=scale[:, None] > _EXACT)
    np.fill_diagonal(joined, 0.0)
    joined[node, :] = joined[:, node] = 0.0
    return moved, joined

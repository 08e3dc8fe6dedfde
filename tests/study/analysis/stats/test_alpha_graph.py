"""Sequentially rejective graphs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from study.analysis.stats.alpha_graph import AlphaGraph, check_graph, decide


def holm_graph(nodes: int) -> AlphaGraph:
    edges = np.full((nodes, nodes), 1 / (nodes - 1))
    np.fill_diagonal(edges, 0.0)
    return AlphaGraph(np.full(nodes, 1 / nodes), edges)


def diabetes_graph() -> AlphaGraph:
    """Two doses, two endpoints: the graph of figure 9 in Bretz et al. (2009)."""
    edges = np.array([[0, 0.5, 0.5, 0], [0.5, 0, 0, 0.5], [0, 1, 0, 0], [1, 0, 0, 0]], dtype=float)
    return AlphaGraph(np.array([0.5, 0.5, 0.0, 0.0]), edges)


def closed_test(graph: AlphaGraph, p: np.ndarray) -> np.ndarray:
    """Adjusted p-values by closure: every intersection is a weighted Bonferroni test (the slow obvious version)."""
    nodes = range(len(p))
    adjusted = np.zeros(len(p))
    for size in range(1, len(p) + 1):
        for subset in itertools.combinations(nodes, size):
            weights, edges = graph.weights.copy(), graph.edges.copy()
            for removed in set(nodes) - set(subset):
                new_weights, new_edges = weights.copy(), np.zeros_like(edges)
                for one in nodes:
                    if one == removed:
                        continue
                    new_weights[one] = weights[one] + weights[removed] * edges[removed, one]
                    for two in nodes:
                        loop = edges[one, removed] * edges[removed, one]
                        if two not in (one, removed) and loop < 1:
                            new_edges[one, two] = (edges[one, two] + edges[one, removed] * edges[removed, two]) / (
                                1 - loop
                            )
                new_weights[removed] = 0
                weights, edges = new_weights, new_edges
            ratios = [p[n] / weights[n] for n in subset if weights[n] > 0]
            local = min(1.0, *ratios) if ratios else 1.0
            for node in subset:
                adjusted[node] = max(adjusted[node], local)
    return adjusted


def test_holms_graph_is_holm() -> None:
    # gMCP(BonferroniHolm(5), pvalues = c(0.01, 0.02, 0.04, 0.04, 0.7)) is the example of gMCP's manual.
    p = np.array([0.01, 0.02, 0.04, 0.04, 0.7])
    rejections = decide(holm_graph(5), p, alpha=0.05)
    assert rejections.adjusted == pytest.approx(multipletests(p, method="holm")[1])
    assert rejections.rejected.tolist() == [True, False, False, False, False]


def test_two_doses_and_two_endpoints_by_hand() -> None:
    # p = .01, .005, .1, .5 at .025: node 2 (.005 <= .0125) goes first and gives half its level to node 1 and half to
    # node 4. Node 1 then holds .01875 >= .01. Its level goes to node 3, through node 2, which is gone, to node 4.
    rejections = decide(diabetes_graph(), np.array([0.01, 0.005, 0.1, 0.5]), alpha=0.025)
    assert rejections.rejected.tolist() == [True, True, False, False]
    assert rejections.local[1] == pytest.approx(0.0125)
    assert rejections.local[0] == pytest.approx(0.01875)
    # Edges of node 1 without node 2: to 3: .5 / (1 - .25), to 4: .25 / .75.
    assert rejections.local[2] == pytest.approx(0.01875 * 2 / 3)
    assert rejections.local[3] == pytest.approx(0.00625 + 0.01875 / 3)
    assert rejections.local[2:].sum() == pytest.approx(0.025)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 200), min_size=4, max_size=4),
    st.lists(st.integers(0, 100), min_size=4, max_size=4),
    st.lists(st.integers(0, 100), min_size=16, max_size=16),
)
def test_it_equals_the_closed_test(p_values: list[int], weights: list[int], edges: list[int]) -> None:
    p = np.array(p_values) / 1000
    matrix = np.array(edges, dtype=float).reshape(4, 4)
    np.fill_diagonal(matrix, 0.0)
    matrix /= matrix.sum(axis=1, keepdims=True) + 1
    graph = AlphaGraph(np.array(weights) / max(1, sum(weights)), matrix)
    rejections = decide(graph, p, alpha=0.05)
    assert rejections.adjusted == pytest.approx(closed_test(graph, p), rel=1e-6, abs=1e-12)


def test_stopping_at_the_first_node_that_is_not_rejected_rejects_the_same() -> None:
    rng = np.random.default_rng(1)
    graph = diabetes_graph()
    for _ in range(200):
        p = rng.random(4) ** 3
        whole, quick = (decide(graph, p, alpha=0.2, adjust_all=every) for every in (True, False))
        assert quick.rejected.tolist() == whole.rejected.tolist()
        assert quick.local.tolist() == whole.local.tolist()


def test_a_closed_gate_keeps_what_lies_behind_it_descriptive() -> None:
    gate = AlphaGraph(np.array([1.0, 0.0]), np.array([[0.0, 1.0], [0.0, 0.0]]))
    shut = decide(gate, np.array([0.06, 1e-9]), alpha=0.05)
    assert shut.rejected.tolist() == [False, False]
    assert shut.reached.tolist() == [True, False]
    open_ = decide(gate, np.array([0.04, 1e-9]), alpha=0.05)
    assert open_.rejected.tolist() == [True, True]
    assert open_.reached.tolist() == [True, True]
    assert shut.adjusted[1] == open_.adjusted[1] + 0.02  # never smaller than its gate's


def test_a_node_without_a_p_value_is_never_rejected_and_keeps_its_level() -> None:
    rejections = decide(holm_graph(2), np.array([np.nan, 0.04]), alpha=0.05)
    assert np.isnan(rejections.adjusted[0])
    assert rejections.rejected.tolist() == [False, False]
    assert rejections.local[0] == pytest.approx(0.025)


def test_true_hypotheses_are_rejected_within_the_level() -> None:
    rng = np.random.default_rng(0)
    graph = diabetes_graph()
    truth = np.array([False, True, True, True])  # node 1 is false and always rejected
    errors = 0
    for _ in range(4000):
        p = rng.random(4)
        p[0] = 1e-6
        errors += bool((decide(graph, p, alpha=0.05).rejected & truth).any())
    assert errors / 4000 < 0.05 + 2 * np.sqrt(0.05 * 0.95 / 4000)


def test_what_is_no_graph_is_refused() -> None:
    good = holm_graph(3)
    for weights, edges, message in (
        (good.weights * 2, good.edges, "sum to at most 1"),
        (good.weights, good.edges * 2, "each row"),
        (good.weights, good.edges + np.eye(3) * 0.1, "without loops"),
        (good.weights, np.zeros((2, 2)), "3 x 3 edges"),
    ):
        with pytest.raises(ValueError, match=message):
            check_graph(AlphaGraph(weights, edges))
    with pytest.raises(ValueError, match="as many p-values"):
        decide(good, np.zeros(2), alpha=0.05)

"""Sparse products against dense ones."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sea_core.graphs.products import SparseGraph, propagate


def random_matrix(rows, columns, density, seed, symmetric=False):
    matrix = sp.random_array((rows, columns), density=density, rng=np.random.default_rng(seed), format="csr")
    return sp.csr_array(matrix + matrix.T) if symmetric else matrix


def assert_same_as_dense(matrix, graph, dim):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(matrix.shape[1], dim, dtype=torch.float64, generator=generator).requires_grad_()
    upstream = torch.randn(matrix.shape[0], dim, dtype=torch.float64, generator=generator)
    product, expected = propagate(graph, x), torch.from_numpy(matrix.toarray()) @ x
    torch.testing.assert_close(product, expected)
    gradients = [torch.autograd.grad((value * upstream).sum(), x)[0] for value in (product, expected)]
    torch.testing.assert_close(*gradients)


@settings(deadline=None, max_examples=30)
@given(
    rows=st.integers(1, 30),
    columns=st.integers(1, 30),
    density=st.floats(0, 1),
    dim=st.integers(1, 9),
    seed=st.integers(0, 99),
)
def test_a_directed_graph_equals_the_dense_product_in_value_and_gradient(rows, columns, density, dim, seed):
    matrix = random_matrix(rows, columns, density, seed)
    assert_same_as_dense(matrix, SparseGraph.from_scipy(matrix, symmetric=False, dtype=torch.float64), dim)


@settings(deadline=None, max_examples=20)
@given(nodes=st.integers(1, 30), density=st.floats(0, 1), seed=st.integers(0, 99))
def test_a_symmetric_graph_equals_the_dense_product_in_value_and_gradient(nodes, density, seed):
    matrix = random_matrix(nodes, nodes, density, seed, symmetric=True)
    graph = SparseGraph.from_scipy(matrix, symmetric=True, dtype=torch.float64)
    assert graph.transposed is graph.matrix
    assert_same_as_dense(matrix, graph, 3)


def test_unsorted_columns_give_the_same_graph():
    matrix = sp.csr_array((np.array([1.0, 2.0]), np.array([1, 0]), np.array([0, 2, 2])), shape=(2, 2))
    assert not matrix.has_sorted_indices
    assert_same_as_dense(matrix, SparseGraph.from_scipy(matrix, symmetric=False, dtype=torch.float64), 2)


def test_building_a_graph_leaves_the_matrix_it_was_built_from_alone():
    matrix = sp.csr_array((np.ones(2), np.array([1, 0]), np.array([0, 2, 2])), shape=(2, 2))
    before = matrix.indices.copy()
    SparseGraph.from_scipy(matrix, symmetric=False)
    assert matrix.indices.tolist() == before.tolist()


def test_a_symmetric_graph_that_is_not_square_is_refused_with_its_shape():
    with pytest.raises(ValueError, match=r"must be square, got shape \(2, 3\)"):
        SparseGraph.from_scipy(random_matrix(2, 3, 0.5, 0), symmetric=True)


def test_a_constant_input_needs_no_gradient():
    graph = SparseGraph.from_scipy(random_matrix(4, 4, 0.5, 0), symmetric=False)
    assert not propagate(graph, torch.ones(4, 2)).requires_grad

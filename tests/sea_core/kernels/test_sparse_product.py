"""The compiled sparse product against SciPy's, for any number of threads."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from sea_core.graphs.products import SparseGraph, propagate, propagate_sum
from sea_core.kernels import sparse_product


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def random_csr(rows, columns, entries, seed=0):
    rng = np.random.default_rng(seed)
    # Popular rows, so that equal shares of entries are unequal shares of rows; the last rows are empty.
    row = (rng.random(entries) ** 3 * (rows - 5)).astype(int)
    column = rng.integers(0, columns, entries)
    return sp.coo_array((rng.standard_normal(entries), (row, column)), shape=(rows, columns)).tocsr()


@pytest.mark.parametrize("dim", [1, 16, 37])
@pytest.mark.parametrize("with_base", [False, True])
def test_the_product_is_scipys(threads, dim, with_base):
    matrix = random_csr(400, 300, 60_000)
    graph = SparseGraph.from_scipy(matrix, symmetric=False)
    generator = torch.Generator().manual_seed(1)
    x, base = torch.randn(300, dim, generator=generator), torch.randn(400, dim, generator=generator)
    assert sparse_product.suits(graph.matrix, x)
    kept = base.clone()
    product = sparse_product.add_product(base if with_base else None, graph.matrix, x)
    expected = matrix @ x.numpy().astype(float) + (base.numpy() if with_base else 0)
    np.testing.assert_allclose(product.numpy(), expected, rtol=1e-4, atol=1e-4)
    assert torch.equal(base, kept)


def test_bits_do_not_depend_on_the_number_of_threads():
    graph = SparseGraph.from_scipy(random_csr(500, 500, 60_000), symmetric=False)
    x = torch.randn(500, 20, generator=torch.Generator().manual_seed(0))
    before, products = torch.get_num_threads(), []
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        products.append(sparse_product.add_product(x, graph.matrix, x))
    torch.set_num_threads(before)
    assert all(torch.equal(product, products[0]) for product in products)


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_a_sum_over_layers_equals_layer_by_layer_in_value_and_gradient(layers):
    matrix = random_csr(400, 400, 60_000)
    graph = SparseGraph.from_scipy(matrix * 0.01, symmetric=False)
    generator = torch.Generator().manual_seed(2)
    x, upstream = (torch.randn(400, 8, generator=generator) for _ in range(2))
    x.requires_grad_()
    layer = total = x
    for _ in range(layers):
        layer = propagate(graph, layer)
        total = total + layer
    summed = propagate_sum(graph, x, layers)
    torch.testing.assert_close(summed, total)
    gradients = [torch.autograd.grad((value * upstream).sum(), x)[0] for value in (summed, total)]
    torch.testing.assert_close(*gradients)

"""Scores of pairs from the kernel against those of ordinary operations, in value and gradient."""

import pytest
import torch

from sea_core.kernels import pair_scores as kernel
from sea_core.layers import pair_scores as module
from sea_core.layers.backbone import Embeddings
from sea_core.layers.pair_scores import pair_scores, scores_with_torch
from sea_core.models.protocol import Batch


def draw(users=50, items=30, modalities=2, width=16, pairs=600, dtype=torch.float32):
    generator = torch.Generator().manual_seed(users + items + modalities + width)
    shapes = (users, modalities * width), (users, modalities), (items, modalities * width)
    tables = [torch.randn(shape, generator=generator, dtype=dtype).requires_grad_() for shape in shapes]
    ids = [torch.randint(count, (pairs,), generator=generator) for count in (users, items, items)]
    return tables, Batch(*ids)


def scores_and_gradients(function, tables, batch):
    scores = function(Embeddings(tables[0], tables[1], tables[2], {}), batch)
    loss = sum((score * torch.linspace(-1, 2, len(score))).sum() for score in scores)
    return [*scores, *torch.autograd.grad(loss, tables)]


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize(("modalities", "width"), [(1, 1), (1, 5), (2, 64), (3, 16)])
def test_scores_and_gradients_are_those_of_ordinary_operations(threads, count, modalities, width):
    threads(count)
    tables, batch = draw(modalities=modalities, width=width, pairs=1000)
    results = [scores_and_gradients(function, tables, batch) for function in (pair_scores, scores_with_torch)]
    for actual, expected in zip(*results, strict=True):
        torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)


def test_rows_that_no_pair_names_have_no_gradient():
    tables, batch = draw(users=40, items=40, pairs=5)
    _, _, d_parts, d_weight, d_item = scores_and_gradients(pair_scores, tables, batch)
    unnamed = torch.ones(40, dtype=torch.bool).index_fill(0, batch.user, False)
    assert not d_parts[unnamed].any()
    assert not d_weight[unnamed].any()
    unnamed = torch.ones(40, dtype=torch.bool).index_fill(0, torch.cat([batch.positive, batch.negative]), False)
    assert not d_item[unnamed].any()


def test_bits_do_not_depend_on_the_number_of_threads(threads):
    tables, batch = draw(modalities=2, width=24, pairs=2048)
    results = []
    for count in (1, 2, 3):
        threads(count)
        results.append(scores_and_gradients(pair_scores, tables, batch))
    for result in results[1:]:
        assert all(torch.equal(one, other) for one, other in zip(result, results[0], strict=True))


def test_double_precision_and_missing_kernels_take_ordinary_operations(monkeypatch):
    tables, batch = draw(dtype=torch.float64)
    assert not kernel.suits(*tables)
    assert pair_scores(Embeddings(*tables, {}), batch)[0].dtype == torch.float64
    monkeypatch.setattr(module, "load_kernel", lambda name: None)
    tables, batch = draw()
    one, other = (scores_and_gradients(function, tables, batch) for function in (pair_scores, scores_with_torch))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))

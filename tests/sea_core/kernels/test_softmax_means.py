"""Both softmax means against a whole matrix of logits in float64."""

import pytest
import torch
from torch.nn.functional import normalize

from sea_core.kernels import softmax_means as module
from sea_core.kernels.softmax_means import BLOCK_ROWS, softmax_means, suits


def draw(rows, columns, dim=32):
    generator = torch.Generator().manual_seed(rows + columns)
    return [normalize(torch.randn(count, dim, generator=generator), dim=1) for count in (rows, columns)]


def literal(t, v, scale):
    logits = scale * t.double() @ v.double().T
    weights = logits.softmax(dim=1)
    return weights @ v.double(), weights.T @ t.double(), logits.logsumexp(dim=1)


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("rows", [1, 2, BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 1, 5 * BLOCK_ROWS + 3])
@pytest.mark.parametrize("scale", [0.01, 5.0, 40.0])
def test_the_means_are_those_of_the_whole_matrix(threads, rows, scale):
    t, v = draw(rows, 333)
    for actual, expected in zip(softmax_means(t, v, scale), literal(t, v, scale), strict=True):
        torch.testing.assert_close(actual.double(), expected, rtol=2e-5, atol=2e-6)


def test_equal_calls_give_equal_bits(threads):
    t, v = draw(700, 700)
    first, second = softmax_means(t, v, 5.0), softmax_means(t, v, 5.0)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_exponentials_stay_in_range_at_the_largest_scale_and_beyond_it_is_refused(threads):
    largest = module._MOST_SCALE
    t, v = draw(200, 200)
    v[:100] = -t[:100]  # logits from -scale to scale
    assert suits(t, largest)
    assert not suits(t, largest * 1.001)
    for actual, expected in zip(softmax_means(t, v, largest), literal(t, v, largest), strict=True):
        assert actual.isfinite().all()
        torch.testing.assert_close(actual.double(), expected, rtol=1e-4, atol=1e-5)


def test_other_precisions_and_devices_are_refused():
    assert not suits(torch.empty(3, 4, dtype=torch.float64), 1.0)
    assert not suits(torch.empty(3, 4, device="meta"), 1.0)

"""Products through oneDNN or MKL are the same products."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sea_core.kernels import matmul
from sea_core.kernels.matmul import multiply_into, through, times_transposed, transposed_times

needs_onednn = pytest.mark.skipif(not matmul._HAS_ONEDNN, reason="this PyTorch carries no oneDNN")
LAYOUTS = {
    "rows": lambda m: m.contiguous(),
    "columns": lambda m: m.T.contiguous().T,
    "gaps": lambda m: torch.cat([m, m], dim=1)[:, : m.shape[1]],
    "every other row": lambda m: torch.stack([m, m], dim=1).flatten(0, 1)[::2],
}


@settings(deadline=None, max_examples=40)
@given(
    sizes=st.tuples(*[st.integers(1, 40)] * 3),
    layouts=st.tuples(*[st.sampled_from(sorted(LAYOUTS))] * 2),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_any_shape_and_layout_gives_the_product(sizes, layouts, dtype):
    rows, columns, depth = sizes
    generator = torch.Generator().manual_seed(0)
    a = LAYOUTS[layouts[0]](torch.randn(rows, depth, dtype=dtype, generator=generator))
    b = LAYOUTS[layouts[1]](torch.randn(columns, depth, dtype=dtype, generator=generator))
    torch.testing.assert_close(times_transposed(a, b), (a.double() @ b.double().T).to(dtype), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("onednn", [False, pytest.param(True, marks=needs_onednn)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_either_library_gives_the_products(monkeypatch, onednn, dtype):
    monkeypatch.setattr(matmul, "_ONEDNN", onednn)
    a, b = torch.randn(50, 7, dtype=dtype), torch.randn(50, 3, dtype=dtype)
    torch.testing.assert_close(times_transposed(a.T.contiguous(), b.T), a.T @ b)
    torch.testing.assert_close(transposed_times(a.split([4, 1, 2], dim=1), b), a.T @ b)


def test_a_product_with_bfloat16_rounds_the_other_factor():
    a, b = torch.randn(50, 7), torch.randn(50, 3).bfloat16()
    torch.testing.assert_close(transposed_times(a.split([4, 3], dim=1), b), a.bfloat16().T @ b)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_result_is_written_in_place_and_widened(dtype):
    a, b = torch.ones(3, 4, dtype=dtype), torch.full((4, 2), 0.5, dtype=dtype)
    result = torch.empty(3, 2)
    multiply_into(result, a, b)
    assert torch.equal(result, torch.full((3, 2), 2.0))


@pytest.mark.parametrize("onednn", [False, pytest.param(True, marks=needs_onednn)])
@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_a_linear_layer_has_the_values_and_gradients_of_calling_it(monkeypatch, onednn, layout):
    monkeypatch.setattr(matmul, "_ONEDNN", onednn)
    layer, x = torch.nn.Linear(7, 5), LAYOUTS[layout](torch.randn(50, 7)).requires_grad_()
    d_output = torch.randn(50, 5)
    expected = torch.autograd.grad(layer(x), [x, *layer.parameters()], d_output)
    gradients = torch.autograd.grad(through(layer, x), [x, *layer.parameters()], d_output)
    for actual, wanted in zip(gradients, expected, strict=True):
        torch.testing.assert_close(actual, wanted)


@needs_onednn
def test_the_transpose_of_a_constant_is_made_anew_once_it_was_written_to(monkeypatch):
    monkeypatch.setattr(matmul, "_ONEDNN", True)
    a, b = torch.randn(50, 7), torch.randn(50, 3)
    transposed_times([a], b)
    b.mul_(2)
    torch.testing.assert_close(transposed_times([a], b), a.T @ b)

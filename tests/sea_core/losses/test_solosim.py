"""Solosim against the definition with a full softmax and PyTorch's autograd."""

import math
import resource

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from sea_core.losses import solosim as module
from sea_core.losses.solosim import solosim
from sea_core.losses.symmetric_infonce import symmetric_infonce

DTYPES = st.sampled_from([torch.float32, torch.float64])


def literal(rows, columns, temperature):
    logits = functional.normalize(rows, dim=1) @ functional.normalize(columns, dim=1).T / temperature
    return -logits.log_softmax(dim=1).diagonal().mean()


def draw(items, dim, dtype, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(items, dim, dtype=dtype, generator=generator).requires_grad_() for _ in range(2)]


def assert_same_loss_and_gradients(fast, slow, inputs, rtol, scale):
    """Gradients are compared relative to ``scale``: near an optimum they vanish and only rounding would be left."""
    torch.testing.assert_close(fast, slow, rtol=rtol, atol=rtol)
    for name, expected, actual in zip(
        ("rows", "columns"), torch.autograd.grad(slow, inputs), torch.autograd.grad(fast, inputs), strict=True
    ):
        torch.testing.assert_close(
            actual / scale, expected / scale, rtol=rtol, atol=rtol, msg=lambda m, n=name: f"{n}: {m}"
        )


@settings(deadline=None, max_examples=40)
@given(
    items=st.integers(2, 600),
    dim=st.integers(2, 40),
    temperature=st.floats(0.02, 2),
    dtype=DTYPES,
    seed=st.integers(0, 99),
)
def test_solosim_equals_the_full_softmax_in_value_and_gradient(items, dim, temperature, dtype, seed):
    rows, columns = draw(items, dim, dtype, seed)
    fast, slow = solosim(rows, columns, temperature=temperature), literal(rows, columns, temperature)
    rtol = 1e-9 if dtype == torch.float64 else 1e-4
    assert_same_loss_and_gradients(fast, slow, (rows, columns), rtol, scale=1 / (items * temperature))


@pytest.mark.parametrize("block_rows", [1, 7, 256])
def test_the_blocks_used_off_the_cpu_give_what_the_fused_kernel_gives(monkeypatch, block_rows):
    rows, columns = draw(100, 8, torch.float64)
    fused = solosim(rows, columns, temperature=0.1)
    expected = torch.autograd.grad(fused, (rows, columns))
    monkeypatch.setattr(module, "_attend", module._attend_in_blocks)
    monkeypatch.setattr(module, "BLOCK_ROWS", block_rows)
    blocked = solosim(rows, columns, temperature=0.1)
    torch.testing.assert_close(blocked, fused)
    for actual, wanted in zip(torch.autograd.grad(blocked, (rows, columns)), expected, strict=True):
        torch.testing.assert_close(actual, wanted)


@pytest.mark.parametrize("temperature", [1e-4, 1e-2, 100.0])
def test_extreme_temperatures_stay_finite_and_right(temperature):
    rows, columns = draw(50, 8, torch.float32)
    fast = solosim(rows, columns, temperature=temperature)
    exact = literal(rows.double(), columns.double(), temperature)
    assert float(fast.detach()) == pytest.approx(float(exact.detach()), rel=1e-4)
    assert all(gradient.isfinite().all() for gradient in torch.autograd.grad(fast, (rows, columns)))


def test_chance_level_is_the_log_of_the_number_of_items():
    same = torch.ones(37, 5)
    assert float(solosim(same, same, temperature=0.2)) == pytest.approx(math.log(37), rel=1e-6)


def test_perfectly_aligned_orthogonal_items_reach_the_closed_form():
    eye = torch.eye(6)
    assert float(solosim(eye, 3 * eye, temperature=0.5)) == pytest.approx(math.log(1 + 5 * math.exp(-2)), rel=1e-6)


def test_only_one_direction_is_counted():
    rows, columns = draw(9, 4, torch.float64)
    assert solosim(rows, columns, temperature=0.2) != solosim(columns, rows, temperature=0.2)


def test_a_gradient_that_is_not_needed_is_not_computed(monkeypatch):
    rows, columns = draw(9, 4, torch.float32)
    calls = []
    original = module._attend
    monkeypatch.setattr(module, "_attend", lambda *a, **k: calls.append(1) or original(*a, **k))
    with torch.no_grad():
        loss = solosim(rows, columns, temperature=0.2)
    assert not loss.requires_grad
    assert len(calls) == 1


def test_nan_in_an_input_reaches_the_loss():
    rows, columns = draw(600, 32, torch.float32)
    with torch.no_grad():
        columns[3, 5] = math.nan
    assert solosim(rows, columns, temperature=0.2).isnan()


def test_memory_grows_with_the_items_and_not_with_their_square():
    rows, columns = draw(20_000, 2, torch.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    solosim(rows, columns, temperature=0.2).backward()
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_mb < 100  # the items x items matrix alone would be 1,526 MB


@pytest.mark.parametrize("temperature", [0.0, -0.1, math.nan])
def test_a_temperature_that_is_not_positive_is_refused_with_its_value(temperature):
    with pytest.raises(ValueError, match=f"temperature must be > 0, got {temperature}"):
        solosim(torch.ones(2, 2), torch.ones(2, 2), temperature=temperature)


def test_symmetric_infonce_is_the_mean_of_both_directions():
    rows, columns = draw(30, 4, torch.float64)
    slow = (literal(rows, columns, 0.3) + literal(columns, rows, 0.3)) / 2
    assert_same_loss_and_gradients(
        symmetric_infonce(rows, columns, temperature=0.3), slow, (rows, columns), 1e-9, scale=0.1
    )

"""The re-associated projection against the product it stands for."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sea_core.layers import projection
from sea_core.layers.projection import read_projection, recycle_gradients


def draw(*shape, dtype=torch.float64, seed=0):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed + sum(shape)))


def literal(features, weight, bias, readers):
    projected = features @ weight.T + bias
    return [projected[:, columns] @ head.T + shift for head, shift, columns in readers]


def make_readers(dim, ranges, dtype=torch.float64):
    return [
        (
            draw(outputs, stop - start, dtype=dtype, seed=index).requires_grad_(),
            draw(outputs, dtype=dtype, seed=index).requires_grad_(),
            slice(start, stop),
        )
        for index, (outputs, start, stop) in enumerate(ranges)
    ]


def gradients(outputs, parameters):
    total = sum((output * draw(*output.shape, dtype=output.dtype, seed=9)).sum() for output in outputs)
    return torch.autograd.grad(total, parameters, allow_unused=True)


def assert_equal_in_value_and_gradient(value, expected, parameters, **tolerance):
    for actual, wanted in zip(value, expected, strict=True):
        torch.testing.assert_close(actual, wanted, **tolerance)
    for actual, wanted in zip(gradients(value, parameters), gradients(expected, parameters), strict=True):
        torch.testing.assert_close(actual, torch.zeros_like(actual) if wanted is None else wanted, **tolerance)


@st.composite
def problems(draw_value):
    items, dim, raw = (draw_value(st.integers(1, 40)) for _ in range(3))
    ranges = []
    for _ in range(draw_value(st.integers(1, 4))):
        start = draw_value(st.integers(0, dim - 1))
        ranges.append((draw_value(st.integers(1, 12)), start, draw_value(st.integers(start + 1, dim))))
    return items, dim, raw, ranges


@pytest.mark.parametrize("dense", [True, False])
@settings(deadline=None, max_examples=40)
@given(problem=problems())
def test_reading_equals_projecting_for_any_readers(dense, problem):
    items, dim, raw, ranges = problem
    features, weight, bias = draw(items, raw), draw(dim, raw).requires_grad_(), draw(dim).requires_grad_()
    readers = make_readers(dim, ranges)
    parameters = [weight, bias, *(p for head, shift, _ in readers for p in (head, shift))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(projection, "_dense_is_cheaper", lambda *_: dense)
        reading = read_projection(features, weight, bias, readers)
    assert_equal_in_value_and_gradient(reading, literal(features, weight, bias, readers), parameters)


RELEASED = [(256, 0, 600), (64, 0, 300), (32, 0, 300), (32, 300, 600)]


def test_float32_at_the_released_reader_sizes_agrees_to_1e_4():
    features, weight, bias = draw(900, 600), draw(600, 600).requires_grad_(), draw(600).requires_grad_()
    readers = make_readers(600, RELEASED)
    exact = literal(features, weight, bias, readers)
    parameters = [weight, bias, *(head for head, _, _ in readers)]
    single = [p.detach().float().requires_grad_() for p in (weight, bias)]
    single_readers = [(h.detach().float().requires_grad_(), s.detach().float(), c) for h, s, c in readers]
    reading = read_projection(features.float(), *single, single_readers)
    for actual, wanted in zip(reading, exact, strict=True):
        torch.testing.assert_close(actual.double() / wanted.std(), wanted / wanted.std(), rtol=1e-4, atol=1e-4)
    weights = [(o * draw(*o.shape, dtype=o.dtype, seed=9)).sum() for o in exact]
    wanted_gradients = torch.autograd.grad(sum(weights), parameters)
    actual_gradients = torch.autograd.grad(
        sum((o * draw(*o.shape, dtype=torch.float64, seed=9).float()).sum() for o in reading),
        [*single, *(h for h, _, _ in single_readers)],
    )
    for actual, wanted in zip(actual_gradients, wanted_gradients, strict=True):
        torch.testing.assert_close(actual.double() / wanted.std(), wanted / wanted.std(), rtol=1e-4, atol=1e-4)


def test_bf16_is_within_its_eight_bits_of_float32_and_returns_float32():
    features, weight, bias = (draw(*shape, dtype=torch.float32) for shape in ((900, 600), (600, 600), (600,)))
    weight.requires_grad_()
    readers = make_readers(600, RELEASED, torch.float32)
    exact = literal(features, weight, bias, readers)
    reading = read_projection(features.bfloat16(), weight, bias, readers, precision="bf16")
    (exact_gradient,), (gradient,) = gradients(exact, [weight]), gradients(reading, [weight])
    for actual, wanted in [*zip(reading, exact, strict=True), (gradient, exact_gradient)]:
        assert actual.dtype == torch.float32
        assert float(((actual - wanted).norm() / wanted.norm()).detach()) < 0.01


def test_the_projection_is_not_materialised_at_the_released_sizes(monkeypatch):
    """Counts multiplications: 76 instead of 540 billion at Baby's size; here the same shapes at a sixteenth."""
    features, weight, bias = torch.ones(1762, 1024), torch.ones(1024, 1024), torch.ones(1024)
    readers = make_readers(1024, [(64, 0, 1024), (16, 0, 512), (8, 0, 512), (8, 512, 1024)], torch.float32)
    largest = []
    original = projection.times_transposed
    monkeypatch.setattr(
        projection,
        "times_transposed",
        lambda a, b, **more: largest.append(len(a) * len(b) * a.shape[1]) or original(a, b, **more),
    )
    read_projection(features, weight, bias, readers)
    assert max(largest) == 1762 * 96 * 1024  # F A^T; the materialised product has 1762 * 1024 * 1024


def test_a_recycled_gradient_reuses_its_memory_and_holds_the_same_values(monkeypatch):
    monkeypatch.setattr(projection, "RECYCLED_NUMEL", 1)
    monkeypatch.setattr(projection, "_dense_is_cheaper", lambda *_: False)
    features, bias = draw(20, 30), draw(30)
    weight = torch.nn.Parameter(draw(30, 30))
    readers = make_readers(30, [(4, 0, 10), (3, 5, 20)])  # columns 20 to 30 are read by nobody

    def differentiate():
        sum(output.sum() for output in read_projection(features, weight, bias, readers)).backward()
        assert weight.grad is not None
        return weight.grad

    first = differentiate()
    expected, address = first.clone(), first.data_ptr()
    del first
    recycle_gradients([weight])
    assert weight.grad is None
    second = differentiate()
    assert second.data_ptr() == address
    assert torch.equal(second, expected)
    third = differentiate()  # without recycling, gradients accumulate as usual
    torch.testing.assert_close(third, 2 * expected)


def test_the_meta_device_carries_the_whole_path_so_no_value_is_read_on_the_host():
    features, weight, bias = (torch.empty(shape, device="meta") for shape in ((900, 600), (600, 600), (600,)))
    weight.requires_grad_()
    readers = [
        (torch.empty(o, b - a, device="meta"), torch.empty(o, device="meta"), slice(a, b)) for o, a, b in RELEASED
    ]
    outputs = read_projection(features, weight, bias, readers)
    (gradient,) = torch.autograd.grad(sum(output.sum() for output in outputs), weight)
    assert gradient.shape == weight.shape

"""CLUB's bound and its fit against the definitions, with autograd and PyTorch's own Adam."""

import math

import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from sea_core.kernels import club_bound as compiled_bound
from sea_core.kernels import club_fit as compiled
from sea_core.losses import club_fit
from sea_core.losses.club import VariationalNet, bound_with_torch, club_bound
from sea_core.losses.club_fit import ClubFitter


def seeded_net(dim=32, hidden=8, dtype=torch.float32, seed=0):
    net = VariationalNet(dim, hidden).to(dtype)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / math.sqrt(parameter.shape[-1]))
    return net


def draw_pairs(items, dim=32, count=2, dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [tuple(torch.randn(items, dim, dtype=dtype, generator=generator) for _ in range(2)) for _ in range(count)]


def literal_likelihood(net, x, y):
    """``ll(x_i, y_i)`` of each row, by the definition; gradients reach the net."""
    mean = net.mean[1](net.mean[0](x).relu())
    log_variance = net.log_variance[1](net.log_variance[0](x).relu()).tanh()
    return (-((mean - y) ** 2) / (2 * log_variance.exp()) - log_variance / 2).sum(dim=1)


def literal_fit(net, pairs, steps, learning_rate):
    optimiser = torch.optim.Adam(net.parameters(), lr=learning_rate)
    loss = torch.zeros(())
    for _ in range(steps):
        optimiser.zero_grad()
        loss = sum(-literal_likelihood(net, x, y).mean() for x, y in pairs)
        loss.backward()
        optimiser.step()
    return loss.detach()


def without_compiler(monkeypatch):
    monkeypatch.setattr(club_fit, "load_kernel", lambda name: None)


@pytest.mark.parametrize("way", ["compiled", "torch"])
@pytest.mark.parametrize(("items", "dim", "hidden"), [(700, 32, 8), (64, 32, 8), (257, 5, 3), (100, 40, 12)])
@pytest.mark.slow
def test_the_fit_equals_autograd_with_pytorchs_adam(monkeypatch, way, items, dim, hidden):
    if way == "torch":
        without_compiler(monkeypatch)
    fast, slow = seeded_net(dim, hidden), seeded_net(dim, hidden).double()
    pairs = draw_pairs(items, dim)
    fitted = ClubFitter(fast, 1e-3).fit(pairs, steps=20)
    expected = literal_fit(slow, [(x.double(), y.double()) for x, y in pairs], 20, 1e-3)
    assert float(fitted) == pytest.approx(float(expected), rel=1e-5)
    for (name, actual), wanted in zip(fast.named_parameters(), slow.parameters(), strict=True):
        torch.testing.assert_close(actual.double(), wanted, rtol=1e-4, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


def smallest_relu_input(parameters, x):
    w0, b0, _, _, v0, c0, _, _ = parameters
    return min(float((x @ w.T + b).abs().min()) for w, b in ((w0, b0), (v0, c0)))


def size_of_terms(parameters, x, y, weight):
    """The likelihood with every term counted as positive."""
    w0, b0, w1, b1, v0, c0, v1, c1 = parameters
    error = functional.relu(x @ w0.T + b0) @ w1.T + b1 - y
    log_variance = torch.tanh(functional.relu(x @ v0.T + c0) @ v1.T + c1)
    return float(((error.square() * torch.exp(-log_variance) + log_variance.abs()) * weight[:, None]).sum() / 2)


@settings(deadline=None, max_examples=30)
@given(items=st.integers(1, 1200), dim=st.integers(1, 32), hidden=st.integers(1, 8), seed=st.integers(0, 99))
@example(items=1, dim=1, hidden=1, seed=15)  # terms cancel to 0.003
def test_the_compiled_fit_equals_the_fit_with_torch(items, dim, hidden, seed):
    nets = [seeded_net(dim, hidden, seed=seed) for _ in range(2)]
    x, y = draw_pairs(items, dim, count=1, seed=seed)[0]
    weight = torch.full((items,), 1 / items)
    steps = club_fit.AdamSettings(0.9, 0.999, 1e-8, [(1e-3, 1.0), (2e-3, 0.9)])

    def fit_with_torch(net, settings, *data):
        for factors in settings.factors:  # one by one, to look at what each step starts from
            # Whether an input of a ReLU that is zero but for rounding is above zero is nobody's to say.
            assume(smallest_relu_input(net.parameters, x) > 1e-5)
            sizes.append(size_of_terms(net.parameters, *data))
            loss = club_fit.fit_with_torch(net, settings._replace(factors=[factors]), *data)
        return loss

    losses, sizes = [], []
    for net, fit in zip(nets, (compiled.fit, fit_with_torch), strict=True):
        parameters = list(net.parameters())
        moments = [[torch.zeros_like(p) for p in parameters] for _ in range(2)]
        with torch.no_grad():
            losses.append(float(fit(club_fit.AdamNet(parameters, *moments), steps, x, y, weight)))
        # First moments are sums of gradients: comparing them compares gradients, free of Adam's division by noise.
        nets[nets.index(net)] = moments[0]
    # Terms of either sign may cancel: rounding follows their size, not that of their sum.
    assert losses[0] == pytest.approx(losses[1], rel=1e-5, abs=1e-5 * sizes[-1])
    for actual, wanted in zip(*nets, strict=True):
        scale = max(float(wanted.abs().max()), 1e-3)
        torch.testing.assert_close(actual / scale, wanted / scale, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("way", ["compiled", "torch"])
def test_pairs_of_different_sizes_count_equally(monkeypatch, way):
    if way == "torch":
        without_compiler(monkeypatch)
    pairs = [draw_pairs(50, count=1, seed=1)[0], draw_pairs(400, count=1, seed=2)[0]]
    net = seeded_net()
    expected = sum(-literal_likelihood(net, x, y).mean() for x, y in pairs)
    assert float(ClubFitter(net, 1e-3).fit(pairs, steps=1)) == pytest.approx(float(expected.detach()), rel=1e-5)


def test_the_order_of_the_rows_does_not_matter_so_the_released_shuffle_is_left_out():
    x, y = draw_pairs(300, count=1)[0]
    order = torch.randperm(300, generator=torch.Generator().manual_seed(3))
    nets = [seeded_net(dtype=torch.float64) for _ in range(2)]
    ClubFitter(nets[0], 1e-3).fit([(x.double(), y.double())], steps=5)
    ClubFitter(nets[1], 1e-3).fit([(x[order].double(), y[order].double())], steps=5)
    for one, other in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_the_same_threads_give_the_same_bits_and_more_threads_the_same_numbers():
    before = torch.get_num_threads()
    pairs, results = draw_pairs(4000), []
    try:
        for threads in (1, 1, 3, 3):
            torch.set_num_threads(threads)
            net = seeded_net()
            ClubFitter(net, 1e-3).fit(pairs, steps=10)
            results.append(torch.cat([p.detach().flatten() for p in net.parameters()]))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[2], results[3])
    torch.testing.assert_close(results[0], results[2], rtol=1e-4, atol=1e-6)


def test_no_steps_change_nothing_and_report_zero():
    net = seeded_net()
    before = [p.clone() for p in net.parameters()]
    assert float(ClubFitter(net, 1e-3).fit(draw_pairs(10), steps=0)) == 0
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


def test_a_restored_fitter_goes_on_to_the_same_bits():
    pairs = draw_pairs(500)
    straight, stopped = seeded_net(), seeded_net()
    fitter = ClubFitter(straight, 1e-3)
    fitter.fit(pairs, steps=4)
    fitter.fit(pairs, steps=4)
    first = ClubFitter(stopped, 1e-3)
    first.fit(pairs, steps=4)
    second = ClubFitter(stopped, 1e-3)
    second.load_state(first.state())
    second.fit(pairs, steps=4)
    assert all(torch.equal(a, b) for a, b in zip(straight.parameters(), stopped.parameters(), strict=True))


def test_a_saved_state_is_not_changed_by_later_steps():
    fitter = ClubFitter(seeded_net(), 1e-3)
    fitter.fit(draw_pairs(50), steps=1)
    state = fitter.state()
    copy = {name: value.clone() for name, value in state.items()}
    fitter.fit(draw_pairs(50), steps=1)
    assert all(torch.equal(value, copy[name]) for name, value in state.items())


@pytest.mark.parametrize("way", ["compiled", "torch"])
@pytest.mark.parametrize("side", [0, 1])
def test_nan_in_an_input_reaches_the_fit_loss(monkeypatch, way, side):
    if way == "torch":
        without_compiler(monkeypatch)
    pairs = draw_pairs(300)
    pairs[0][side][7, 3] = math.nan
    assert ClubFitter(seeded_net(), 1e-3).fit(pairs, steps=1).isnan()


@settings(deadline=None, max_examples=25)
@given(items=st.integers(1, 80), dim=st.integers(1, 20), hidden=st.integers(1, 9), seed=st.integers(0, 99))
def test_the_bound_equals_its_definition_in_value_and_gradient(items, dim, hidden, seed):
    net = seeded_net(dim, hidden, torch.float64, seed)
    x, y = (value.requires_grad_() for value in draw_pairs(items, dim, 1, torch.float64, seed)[0])
    permutation = torch.randperm(items, generator=torch.Generator().manual_seed(seed))
    bound = club_bound(net, x, y, permutation)
    expected = (literal_likelihood(net, x, y) - literal_likelihood(net, x, y[permutation])).mean() / 2
    torch.testing.assert_close(bound, expected)
    gradients = zip(torch.autograd.grad(bound, (x, y)), torch.autograd.grad(expected, (x, y)), strict=True)
    for actual, wanted in gradients:
        torch.testing.assert_close(actual, wanted)


@settings(deadline=None, max_examples=30)
@given(items=st.integers(1, 1200), dim=st.integers(1, 32), hidden=st.integers(1, 8), seed=st.integers(0, 99))
@example(items=256, dim=32, hidden=8, seed=0)
@example(items=257, dim=32, hidden=8, seed=0)
def test_the_compiled_bound_equals_the_bound_with_torch(items, dim, hidden, seed):
    generator = torch.Generator().manual_seed(seed)
    parameters = [p.detach() for p in seeded_net(dim, hidden, seed=seed).parameters()]
    wide = torch.randn(items, 2 * dim + 3, generator=generator)
    x, y = wide[:, 1 : dim + 1], wide[:, dim + 2 : 2 * dim + 2]  # columns of one tensor, as in training
    assume(smallest_relu_input(parameters, x) > 1e-6)
    permutation = torch.randperm(items, generator=generator)
    results = [take(parameters, x, y, permutation) for take in (compiled_bound.bound, bound_with_torch)]
    # Terms of either sign cancel; each is a share of 1 / items of something of size dim.
    torch.testing.assert_close(results[0][0], results[1][0], rtol=1e-5, atol=1e-5 * dim)
    for actual, wanted in zip(results[0][1:], results[1][1:], strict=True):
        scale = float(wanted.abs().max()) or 1.0
        torch.testing.assert_close(actual / scale, wanted / scale, rtol=1e-4, atol=1e-5)


def test_the_compiled_bound_reads_a_transposed_part_as_any_other():
    parameters = [p.detach() for p in seeded_net().parameters()]
    x, y = draw_pairs(300, count=1)[0]
    permutation = torch.randperm(300, generator=torch.Generator().manual_seed(0))
    straight = compiled_bound.bound(parameters, x, y, permutation)
    turned = compiled_bound.bound(parameters, x.T.contiguous().T, y, permutation)
    assert all(torch.equal(one, other) for one, other in zip(straight, turned, strict=True))


def test_threads_change_no_gradient_of_the_compiled_bound_and_repeat_its_value():
    before, results = torch.get_num_threads(), []
    parameters = [p.detach() for p in seeded_net().parameters()]
    x, y = draw_pairs(4000, count=1)[0]
    permutation = torch.randperm(4000, generator=torch.Generator().manual_seed(0))
    try:
        for threads in (1, 3, 3):
            torch.set_num_threads(threads)
            results.append(compiled_bound.bound(parameters, x, y, permutation))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(one, other) for one, other in zip(results[1], results[2], strict=True))
    assert all(torch.equal(one, other) for one, other in zip(results[0][1:], results[1][1:], strict=True))


@pytest.mark.parametrize("side", [0, 1])
def test_nan_in_an_input_reaches_the_compiled_bound(side):
    pair = draw_pairs(300, count=1)[0]
    pair[side][7, 3] = math.nan
    assert club_bound(seeded_net(), *pair, torch.arange(300).roll(1)).isnan()


def test_the_bound_never_trains_the_net():
    net = seeded_net()
    x, y = (value.requires_grad_() for value in draw_pairs(20, count=1)[0])
    club_bound(net, x, y, torch.arange(20).flip(0)).backward()
    assert all(parameter.grad is None for parameter in net.parameters())
    assert x.grad is not None
    assert y.grad is not None


def test_the_bound_is_zero_when_every_item_is_its_own_negative():
    x, y = draw_pairs(20, count=1)[0]
    assert float(club_bound(seeded_net(), x, y, torch.arange(20)).detach()) == 0


def test_a_fitted_net_finds_dependence_and_an_independent_pair_has_none():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2000, 32, generator=generator)
    permutation = torch.randperm(2000, generator=generator)
    bounds = {}
    independent = torch.randn(2000, 32, generator=generator)
    for name, y in {"dependent": 0.7 * x.roll(1, dims=1), "independent": independent}.items():
        net = seeded_net()
        ClubFitter(net, 1e-2).fit([(x, y)], steps=200)
        bounds[name] = float(club_bound(net, x, y, permutation).detach())
    assert bounds["dependent"] > 1
    assert abs(bounds["independent"]) < bounds["dependent"] / 5  # in-sample, so noise is fitted a little


def test_a_state_dict_names_the_layers_as_the_golden_records_do():
    assert list(VariationalNet(32, 8).state_dict()) == [
        f"{net}.{layer}.{kind}" for net in ("mean", "log_variance") for layer in (0, 1) for kind in ("weight", "bias")
    ]
    assert isinstance(VariationalNet(32, 8), nn.Module)

"""The fast model and step against ``tests/reference/literal_sea.py``: same losses, gradients and parameters."""

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sea_core.config import Config
from sea_core.graphs.products import SparseGraph
from sea_core.graphs.user_item import user_item_graph
from sea_core.layers import projection
from sea_core.layers.draws import Draws
from sea_core.layers.features import Features
from sea_core.models.protocol import Batch
from sea_core.models.sea import SEA, Inputs
from sea_core.parity import config_of, golden_name, load_record
from sea_core.training.step import Stepper
from tests.reference.literal_sea import LiteralSEA, LiteralStepper, normalised_adjacency

RECORD = Path(__file__).parents[2] / "golden" / "sea_step_A.npz"


class Problem:
    """A random dataset, config and draws, for both models."""

    def __init__(self, preset, choices, dims, users, items, dtype, seed):
        self.config = Config.from_mapping(choices, preset=preset)
        self.dims, self.users, self.items, self.dtype = dims, users, items, dtype
        rng = np.random.default_rng(seed)
        self.train = sp.csr_array((rng.random((users, items)) < 0.4).astype(np.float32))
        # Row-normalised and directed, as an item graph is.
        kept = (rng.random((items, items)) < 0.3) | np.eye(items, dtype=bool)
        self.item_graph = sp.csr_array(kept / kept.sum(axis=1, keepdims=True))
        self.features = {m: torch.from_numpy(rng.standard_normal((items, dim))).to(dtype) for m, dim in dims.items()}
        self.generator = torch.Generator().manual_seed(seed)
        self.seed = seed

    def fast(self):
        model = SEA(self.config, users=self.users, feature_dims=self.dims, seed=self.seed).to(self.dtype)
        # The library's own graph is stored in float32, whose rounding would be all that a float64 comparison sees.
        double = self.dtype == torch.float64
        adjacency = sp.csr_array(normalised_adjacency(self.train)) if double else user_item_graph(self.train)
        user_item = SparseGraph.from_scipy(adjacency, symmetric=True, dtype=self.dtype)
        item_item = SparseGraph.from_scipy(self.item_graph, symmetric=False, dtype=self.dtype)
        return model, Inputs(Features(self.features, {}), user_item, item_item)

    def batch(self, size=16):
        columns = [
            torch.randint(high, (size,), generator=self.generator) for high in (self.users, self.items, self.items)
        ]
        return Batch(*columns)

    def draws(self):
        samples = []
        for choice in (self.config.alignment_items, self.config.distance_items):
            if choice == "all":
                samples.append(None)
            else:
                count = min(int(choice.removeprefix("sample:")), self.items)
                samples.append(torch.randperm(self.items, generator=self.generator)[:count])
        count = self.items if samples[1] is None else len(samples[1])
        permutations = {m: torch.randperm(count, generator=self.generator) for m in self.dims}
        return Draws(permutations, *samples)


@st.composite
def specifications(draw, least=1):
    """Sizes from ``least`` (or what a size needs at least) upwards."""
    preset = draw(st.sampled_from(["paper", "released"]))
    modalities = 2 if preset == "released" else draw(st.integers(1, 3))
    small = {
        "latent_dim": draw(st.integers(max(2, least), 17)),
        "item_mlp_hidden": draw(st.integers(max(1, least), 20)),
        "align_hidden": draw(st.integers(max(2, least), 16)),
        "align_out": draw(st.integers(max(2, least), 16)),
        "distance_dim": draw(st.integers(max(1, least), 16)),
        "club_hidden": draw(st.integers(1, 8)),
        "club_steps": draw(st.integers(0, 4)),
        "split_ratio": draw(st.floats(0.02 * least, 1 - 0.02 * least)),
        "split_stage": draw(st.sampled_from(["features", "representation"])),
        "gnn_layers": draw(st.integers(0, 3)),
        "item_graph_layers": draw(st.integers(0, 2)),
        "temperature": draw(st.floats(0.1, 2)),
        "alignment_weight": draw(st.floats(0, 2)),
        "distance_weight": draw(st.floats(0, 2)),
        "club_clamp": draw(st.booleans()),
        "alignment_items": draw(st.sampled_from(["all", f"sample:{7 * least}"])),
        "distance_items": draw(st.sampled_from(["all", f"sample:{7 * least}"])),
        "learning_rate": 1e-2,
        # Adam divides rounding noise by itself; a large epsilon keeps noise small (the golden record covers the usual).
        "adam_eps": 1e-2,
    }
    dims = {name: draw(st.integers(2 * least, 40)) for name in ("image", "text", "audio")[:modalities]}
    return {
        "preset": preset,
        "choices": small,
        "dims": dims,
        "users": draw(st.integers(2 * least, 20)),
        "items": draw(st.integers(8 * least, 90)),
        "seed": draw(st.integers(0, 999)),
    }


def assert_twins_agree(problem, tolerance, steps):
    model, inputs = problem.fast()
    twin = LiteralSEA(model, problem.train, problem.item_graph)
    stepper, twin_stepper = Stepper(model), LiteralStepper(twin)
    counterparts = twin.counterparts(model)
    for step in range(steps):
        batch, draws = problem.batch(), problem.draws()
        _, terms = stepper.step(inputs, batch, draws)
        for name, expected in twin_stepper.step(problem.features, batch, draws).items():
            assert float(terms[name]) == pytest.approx(float(expected), rel=tolerance, abs=tolerance), (step, name)
        trained = {name: p for name, p in counterparts.items() if not name.startswith("separation.club.")}
        largest = max(float(p.grad.abs().max()) for p in trained.values() if p.grad is not None)
        for name, parameter in model.named_parameters():
            described = {"rtol": tolerance, "atol": tolerance, "msg": lambda m, n=(step, name): f"{n}: {m}"}
            if name in trained and trained[name].grad is not None:
                expected = trained[name].grad
                # A batch norm cancels most of the gradients in front of it, and what is left is rounding; others may
                # be 0 in exact arithmetic too. So the scale has a floor.
                floor = largest if ".layers.0." in name or ".layers.1." in name else largest / 100
                scale = max(float(expected.abs().max()), floor)
                gradient = torch.zeros_like(expected) if parameter.grad is None else parameter.grad
                torch.testing.assert_close(gradient / scale, expected / scale, **described)
            torch.testing.assert_close(parameter, counterparts[name], **described)


@pytest.mark.parametrize("dense", [True, False])
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(specification=specifications())
def test_float64_step_equals_the_literal_one(dense, specification):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(projection, "_dense_is_cheaper", lambda *_: dense)
        assert_twins_agree(Problem(**specification, dtype=torch.float64), 1e-7, steps=2)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(specification=specifications(least=7))
def test_float32_step_equals_the_literal_one(specification):
    """Sizes are not tiny: a batch norm over one column, or one hidden unit, leaves little but rounding in float32."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(projection, "_dense_is_cheaper", lambda *_: False)
        assert_twins_agree(Problem(**specification, dtype=torch.float32), 1e-4, steps=1)


def test_the_literal_twin_replays_the_golden_record_too():
    record = load_record(RECORD)
    config = config_of(json.loads(str(record["config"])))
    users, items = record["final/scores"].shape
    features = {m: torch.from_numpy(record[f"feat/{m}"]) for m in ("image", "text")}
    train = sp.csr_array(
        (np.ones(len(record["train/user"])), (record["train/user"], record["train/item"])), (users, items)
    )
    fast = SEA(config, users=users, feature_dims={m: f.shape[1] for m, f in features.items()}, seed=0)
    twin = LiteralSEA(fast, train, sp.csr_array(record["item_graph"]))
    places = {golden_name(name): parameter for name, parameter in twin.counterparts(fast).items()}
    with torch.no_grad():
        for name, parameter in places.items():
            parameter.copy_(torch.from_numpy(record[f"init/{name}"]))
    stepper = LiteralStepper(twin)
    for step in range(3):
        columns = (torch.from_numpy(record[f"step{step}/batch/{name}"]) for name in ("user", "positive", "negative"))
        permutations = {m: torch.from_numpy(record[f"step{step}/club_permutation/{m}"]).long() for m in features}
        terms = stepper.step(features, Batch(*columns), Draws(permutations))
        assert float(terms["club_fit"]) == pytest.approx(float(record[f"step{step}/club_fit_loss"]), abs=1e-5)
        for name in ("bpr", "alignment", "distance_text", "distance_image", "total"):
            assert float(terms[name]) == pytest.approx(float(record[f"step{step}/loss/{name}"]), abs=1e-5), name
    for name, parameter in places.items():
        gradient = record.get(f"step0/grad/{name}", np.ones(1))
        certain = np.broadcast_to(np.abs(gradient) > 1e-6, parameter.shape)
        if "align_head" in name and name.endswith(("/0/bias", "/1/bias")) and "norm" not in name:
            continue
        difference = np.abs(parameter.detach().numpy() - record[f"final/{name}"])[certain]
        assert difference.max(initial=0) <= 1e-5, name

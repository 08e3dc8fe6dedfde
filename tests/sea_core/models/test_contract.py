"""What every registered model promises, whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch

from sea_core.config import Config
from sea_core.data.catalogue import load_dataset
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.graphs.products import SparseGraph
from sea_core.models.protocol import TrainedModel, UntrainedModel
from sea_core.models.registry import find_model, keys_read, model_names
from sea_core.training.batches import EpochBatches
from sea_core.training.checkpoint import from_bytes, to_bytes
from sea_core.training.run import TrainingRun
from sea_core.training.step import Stepper

SMALL: dict[str, Any] = {
    "latent_dim": 4,
    "item_mlp_hidden": 6,
    "align_hidden": 4,
    "align_out": 4,
    "distance_dim": 4,
    "club_hidden": 3,
    "club_steps": 2,
    "knn_k": 4,
    "batch_size": 64,
    "learning_rate": 0.01,
    "epochs": 4,
}
SOURCE = "synthetic:users=40,items=30,interactions=8,dims=8/6"
NAMES = model_names()
TRAINED = [name for name in NAMES if find_model(name).trains]
PRESETS = [(name, preset) for name in NAMES for preset in find_model(name).presets]


def config_of(name: str, preset: str | None = None, **changes: Any) -> Config:
    read = keys_read(find_model(name))
    small = {key: value for key, value in SMALL.items() if key in read}
    return Config.from_mapping({"model": name, **small, **changes}, preset=preset)


def make_run(config: Config, *, seed: int = 3) -> TrainingRun:
    return TrainingRun(
        config,
        load_dataset(SOURCE, modalities=config.modalities, feature_transform=config.feature_transform),
        seed=seed,
    )


def trained(run: TrainingRun) -> TrainingRun:
    while not run.finished:
        run.advance()
    return run


def outcome(run: TrainingRun) -> list[Any]:
    reports = [report._replace(seconds=0, cpu_seconds=0) for report in run.reports]
    scores = run.scorer()(torch.arange(run.dataset.users)).numpy().tobytes()
    return [reports, run.init_hashes, run.draw_hashes(), run.weights_hash(), scores]


@contextmanager
def keys_asked_for(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """The config fields that are read meanwhile."""
    names, asked = {field.name for field in fields(Config)}, set()

    def note(self: Config, name: str) -> Any:
        if name in names:
            asked.add(name)
        return object.__getattribute__(self, name)

    with monkeypatch.context() as patch:
        patch.setattr(Config, "__getattribute__", note, raising=False)
        yield asked


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is(name: str) -> None:
    model = find_model(name)
    assert model.name == name
    assert model.title
    assert len(model.paper) > 10
    assert issubclass(model, TrainedModel if model.trains else UntrainedModel)


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_every_preset_is_a_config_of_its_own_that_survives_its_plain_values(name: str, preset: str) -> None:
    config = Config.from_mapping({"model": name}, preset=preset)
    assert config.as_dict().keys() == keys_read(find_model(name))
    assert Config.from_record(config.as_dict()) == config
    assert len(
        {Config.from_mapping({"model": name}, preset=other).hash() for other in find_model(name).presets}
    ) == len(find_model(name).presets)


@pytest.mark.parametrize("name", NAMES)
def test_it_reads_the_keys_that_it_declares_and_no_others(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    configs = [
        config_of(name, preset, **{"epochs": 1} if name in TRAINED else {}) for preset in find_model(name).presets
    ]
    data = load_dataset(SOURCE)  # which reads the keys of features
    with keys_asked_for(monkeypatch) as asked:
        for config in configs:
            run = TrainingRun(config, data, seed=3)
            while not run.finished:
                run.advance()
    of_features = {field.name for field in fields(Config) if field.metadata["group"] == "features"}
    assert asked == keys_read(find_model(name)) - of_features


@pytest.mark.parametrize("name", NAMES)
def test_a_key_that_it_does_not_read_is_refused_with_one_that_it_does(name: str) -> None:
    unread = [field for field in fields(Config) if field.name not in keys_read(find_model(name))]
    assert unread
    for field in unread:
        instead = "the nearest key" if field.metadata["group"] != "features" else "it has no item features"
        with pytest.raises(UserError, match=rf"'{re.escape(name)}' does not read '{field.name}'; {instead}"):
            Config.from_mapping({"model": name, field.name: field.default})


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_equal_config_and_seed_give_equal_bits_whatever_the_global_generators_say(name: str, preset: str) -> None:
    first = outcome(trained(make_run(config_of(name, preset))))
    torch.manual_seed(17)
    np.random.seed(17)  # noqa: NPY002 -- the very thing that must not matter
    states = torch.get_rng_state(), np.random.get_state()[1].copy()  # type: ignore[index] # noqa: NPY002
    second = outcome(trained(make_run(config_of(name, preset))))
    assert torch.equal(states[0], torch.get_rng_state())
    assert np.array_equal(states[1], np.random.get_state()[1])  # type: ignore[index] # noqa: NPY002
    assert first == second


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_a_resumed_run_ends_as_an_undisturbed_one_to_the_bit(name: str, preset: str) -> None:
    config = config_of(name, preset)
    whole, first, second = trained(make_run(config)), make_run(config), make_run(config)
    first.advance()
    from_bytes(second, to_bytes(first))
    assert outcome(trained(second)) == outcome(whole)
    assert to_bytes(second).partition(b'"seconds"')[0] is not None
    ours, theirs = (run.state()[0] for run in (second, whole))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


@pytest.mark.parametrize("name", TRAINED)
def test_it_draws_the_batches_and_negatives_that_every_model_draws_from_a_seed(name: str) -> None:
    run, other = make_run(config_of(name)), make_run(config_of(name), seed=4)
    assert run.draw_hashes() == make_run(config_of("sea")).draw_hashes()
    assert other.init_hashes.keys() == run.init_hashes.keys()
    assert other.weights_hash() != run.weights_hash()


@pytest.mark.parametrize("name", TRAINED)
def test_training_lowers_its_loss(name: str) -> None:
    run = trained(make_run(config_of(name, epochs=12, stopping_step=20)))
    assert run.reports[-1].losses["bpr"] < run.reports[0].losses["bpr"]


META = torch.device("meta")


def on_meta(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.to(META)
    if isinstance(value, SparseGraph):
        # Sparse products have CUDA kernels, but no shapes-only ones; a dense matrix stands in for them.
        return SparseGraph(*(torch.empty(matrix.shape, device=META) for matrix in (value.matrix, value.transposed)))
    if isinstance(value, dict):
        return {key: on_meta(item) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(on_meta(item) for item in value))
    return value


@pytest.mark.parametrize(("name", "preset"), [pair for pair in PRESETS if pair[0] in TRAINED])
def test_no_operation_of_a_step_needs_a_value_on_the_host(name: str, preset: str) -> None:
    run = make_run(config_of(name, preset))
    model, data = run.model, run.dataset
    assert isinstance(model, TrainedModel)
    batch, draws = first_draws(model, run.inputs, data)
    stepper = Stepper(model.to(META))
    # The fused kernel has no shapes-only version either.
    stepper.optimiser = torch.optim.Adam(parameter for _, parameter in model.main_parameters())  # type: ignore[assignment]
    forward, terms = stepper.step(on_meta(run.inputs), on_meta(batch), on_meta(draws))
    assert forward.total.device == META
    assert terms
    assert all(term.device == META for term in terms.values())
    assert all(parameter.grad is not None and parameter.grad.device == META for _, parameter in model.main_parameters())


def first_draws(model: TrainedModel, inputs: Any, data: Dataset) -> tuple[Any, Any]:
    sizes = {"users": data.users, "items": data.items}
    batches = EpochBatches(data.train, **sizes, batch_size=model.config.batch_size, seed=3, device="cpu")
    batch = next(iter(batches.of_epoch(0)))
    return batch, model.draws_of_epoch(inputs, seed=3, epoch=0)(batch)


def test_an_unknown_model_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown model 'popularty'; did you mean 'popularity'\?"):
        Config.from_mapping({"model": "popularty"})

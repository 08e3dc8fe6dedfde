"""What a config shows when it is trained on a tiny dataset: the five observables that a field can name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from sea_core.config import Config
from sea_core.data.catalogue import load_dataset
from sea_core.data.dataset import Dataset
from sea_core.hashing import hash_tensors
from sea_core.models.protocol import TrainedModel
from sea_core.run_folder import RECORD, run_files
from sea_core.training.batches import EpochBatches
from sea_core.training.run import TrainingRun

SOURCE = "synthetic:users=40,items=30,interactions=8,dims=8/6"
SEED = 1
# The record says the config, when it was made and where; what is left is what the run did.
_NOT_OBSERVED = ("config", "config_hash", "seconds", "cpu_seconds", "versions", "machine", "threads", "device")


class Observation(NamedTuple):
    """Text that two configs share exactly when the observable is equal to the bit.

    Attributes:
        loss: every loss term of the first step.
        gradient: of every weight after the first step's backward pass.
        prediction: scores of the best epoch.
        stopping: epochs run, and the best of them.
        record: the run's ``record.json`` without config, clock and machine.
    """

    loss: str
    gradient: str
    prediction: str
    stopping: str
    record: str


OBSERVABLES = Observation._fields


def observe(config: Config) -> Observation:
    """Load the tiny dataset as the config asks, take one step apart, and train to the end."""
    dataset = load_dataset(SOURCE, modalities=config.modalities, feature_transform=config.feature_transform)
    terms, gradients = _first_step(config, dataset)
    run = TrainingRun(config, dataset, seed=SEED)
    while not run.finished:
        run.advance()
    record = json.loads(run_files(run)[RECORD])
    scores = run.scorer()(torch.arange(dataset.users))
    return Observation(
        loss=json.dumps({name: value.hex() for name, value in terms.items()}),
        gradient=hash_tensors(gradients),
        prediction=hash_tensors({"scores": scores}),
        stopping=f"{len(run.reports)} epochs, best {run.best.epoch}",
        record=json.dumps({key: value for key, value in record.items() if key not in _NOT_OBSERVED}),
    )


def _first_step(config: Config, dataset: Dataset) -> tuple[Mapping[str, float], dict[str, Tensor]]:
    """Loss terms and gradients of the first step; none of a model that is not trained."""
    run = TrainingRun(config, dataset, seed=SEED)
    model = run.model
    if not isinstance(model, TrainedModel):
        return {}, {}
    sizes = {"users": dataset.users, "items": dataset.items}
    batches = EpochBatches(dataset.train, **sizes, batch_size=config.batch_size, seed=SEED, device="cpu")
    batch = next(iter(batches.of_epoch(0)))
    forward = model(run.inputs, batch, model.draws_of_epoch(run.inputs, seed=SEED, epoch=0)(batch))
    forward.total.backward()
    gradients = {name: value.grad for name, value in model.named_parameters() if value.grad is not None}
    return {name: float(value.detach()) for name, value in forward.terms.items()}, gradients

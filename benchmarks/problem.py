"""Problems of a stated size, made of random numbers: cost depends on sizes and sparsity, not on what was bought."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
import torch

from sea_core.config import Config
from sea_core.data.dataset import Dataset, Interactions
from sea_core.graphs.products import SparseGraph
from sea_core.graphs.user_item import user_item_graph
from sea_core.layers.draws import Draws
from sea_core.layers.features import prepare_features
from sea_core.models.protocol import Batch
from sea_core.models.sea import SEA, Inputs
from sea_core.training.step import Stepper


@dataclass(frozen=True)
class Size:
    """How large a problem is; the defaults are Amazon Baby's."""

    users: int = 19_445
    items: int = 7_050
    interactions: int = 118_551
    validation: int = 20_559
    image_dim: int = 4_096
    text_dim: int = 384


BABY = Size()
CLOTHING = Size(users=39_387, items=23_033, interactions=197_338, validation=40_150)
# The largest catalogue of the family, whose item graph is the memory test.
LARGE_ITEMS = 63_001


class Problem(NamedTuple):
    """A dataset of random numbers and a stand-in for its item graph (built separately, because that takes long)."""

    dataset: Dataset
    item_graph: sp.csr_array


def random_problem(size: Size, *, seed: int = 0, knn_k: int = 10) -> Problem:
    """Interactions with popular and unpopular items, Gaussian features, ``knn_k`` random neighbours per modality."""
    rng = np.random.default_rng(seed)
    train, valid = (_interactions(size, count, rng) for count in (size.interactions, size.validation))
    features = {
        name: rng.standard_normal((size.items, dim), dtype=np.float32)
        for name, dim in (("image", size.image_dim), ("text", size.text_dim))
    }
    dataset = Dataset("random", "", size.users, size.items, train, valid, features)
    receiving = np.repeat(np.arange(size.items), 2 * knn_k)
    giving = rng.integers(0, size.items, len(receiving))
    edges = np.full(len(receiving), 0.5 / knn_k, dtype=np.float32)
    return Problem(dataset, sp.coo_array((edges, (receiving, giving)), shape=(size.items, size.items)).tocsr())


def make_inputs(config: Config, problem: Problem) -> Inputs:
    """The model's constants, with the problem's own item graph."""
    return Inputs(
        features=prepare_features(config, problem.dataset),
        user_item=SparseGraph.from_scipy(user_item_graph(problem.dataset.train_matrix), symmetric=True),
        item_item=SparseGraph.from_scipy(problem.item_graph, symmetric=False),
    )


def make_model(config: Config, problem: Problem, inputs: Inputs) -> SEA:
    """A model for the problem, always with the same initial weights."""
    dims = {m: values.shape[1] for m, values in problem.dataset.features.items()}
    return SEA(config, users=problem.dataset.users, feature_dims=dims, seed=1, bases=inputs.features.bases)


def make_draws(config: Config, dataset: Dataset, *, seed: int = 0) -> tuple[Batch, Draws]:
    """One step's batch, negatives and permutations, drawn as training draws them, apart from the rejection."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randint(len(dataset.train), (config.batch_size,), generator=generator)
    user, positive = (torch.from_numpy(column)[rows] for column in (dataset.train.user, dataset.train.item))
    negative = torch.randint(dataset.items, (config.batch_size,), generator=generator)
    samples = [_sample(choice, dataset.items, generator) for choice in (config.alignment_items, config.distance_items)]
    count = dataset.items if samples[1] is None else len(samples[1])
    permutations = {m: torch.randperm(count, generator=generator) for m in dataset.modalities}
    return Batch(user, positive, negative), Draws(permutations, *samples)


def make_step(config: Config, problem: Problem) -> Callable[[], object]:
    """A training step of the fast path, ready to be timed; it begins with the draws, as training does."""
    inputs = make_inputs(config, problem)
    stepper = Stepper(make_model(config, problem, inputs))

    def step() -> object:
        return stepper.step(inputs, *make_draws(config, problem.dataset))

    return step


def _sample(choice: str, items: int, generator: torch.Generator) -> torch.Tensor | None:
    if choice == "all":
        return None
    return torch.randperm(items, generator=generator)[: int(choice.removeprefix("sample:"))]


def _interactions(size: Size, count: int, rng: np.random.Generator) -> Interactions:
    """Distinct pairs: every user has at least one, items are drawn by a power of their rank."""
    popularity = np.arange(1, size.items + 1) ** -0.7
    user = np.concatenate([np.arange(size.users), rng.integers(0, size.users, max(0, 2 * count - size.users))])
    item = rng.choice(size.items, len(user), p=popularity / popularity.sum())
    _, first = np.unique(user * size.items + item, return_index=True)
    kept = np.sort(first)[:count]
    return Interactions(user[kept].astype(np.int64), item[kept].astype(np.int64))

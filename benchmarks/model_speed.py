"""A training step of each rival beside its literal twin, and the rivals' memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from benchmarks.child import Finished, child_that_repeats, run_child
from benchmarks.problem import BABY, CLOTHING, Problem, Size, make_draws, random_problem
from benchmarks.timing import Timing, interleave
from sea_core.config import Config
from sea_core.graphs.edge_dropping import weighted_edges
from sea_core.graphs.products import SparseGraph
from sea_core.graphs.user_item import MMREC_EPSILON, user_item_graph
from sea_core.layers.features import raw_features
from sea_core.models.freedom import Inputs
from sea_core.models.protocol import TrainedModel
from sea_core.models.registry import find_model
from sea_core.training.step import Stepper
from tests.reference.literal_bpr import Data, LiteralBPR, LiteralStepper
from tests.reference.literal_freedom import LiteralFREEDOM
from tests.reference.mmrec_records import DEFAULTS, SHARED, TWINS

# Row of the table -> model of MMRec, and its settings beside MMRec's first ones.
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "bpr": ("BPR", {}),
    "lightgcn": ("LightGCN", {"n_layers": 2}),
    "vbpr": ("VBPR", {}),
    "freedom": ("FREEDOM", {"reg_weight": 0.0}),
    "freedom, features": ("FREEDOM", {"reg_weight": 1e-3}),
}


def time_models(*, rounds: int) -> dict[str, tuple[Timing, Timing]]:
    """Row -> seconds of a step of the twin and of the fast model at Baby's size, each in a process of its own."""
    times = {}
    for name in VARIANTS:
        with (
            child_that_repeats("model_speed:literal_step", {"name": name}) as literal,
            child_that_repeats("model_speed:fast_step", {"name": name}) as fast,
        ):
            timings = interleave({"literal": literal, "fast": fast}, rounds=rounds, warm_up=2)
        times[name] = timings["literal"], timings["fast"]
    return times


def model_memory(name: str, size: Size = CLOTHING) -> Finished:
    """Peak of a child that takes three steps and encodes."""
    return run_child("model_speed:take_steps", {"name": name, "size": asdict(size)})


def fast_step(name: str, size: Size = BABY) -> Callable[[], object]:
    """A step of the model as training takes it, with the graph of an epoch drawn beforehand."""
    stepper, inputs, problem = _prepared(name, size)
    draws = stepper.model.draws_of_epoch(inputs, seed=1, epoch=0)

    def step() -> object:
        batch, _ = make_draws(Config(), problem.dataset)
        return stepper.step(inputs, batch, draws(batch))

    return step


def literal_step(name: str) -> Callable[[], object]:
    """The same of the twin, on the same pairs."""
    model, settings = VARIANTS[name]
    problem = random_problem(BABY)
    dataset = problem.dataset
    user, item = (column.astype(np.int64) for column in dataset.train_matrix.nonzero())
    data = Data(dataset.users, dataset.items, user, item, dataset.features)
    kinds: dict[str, type[LiteralBPR]] = {**TWINS, "FREEDOM": _with_graph(problem)}
    own = {**SHARED, **DEFAULTS[model], **settings}
    stepper = LiteralStepper(kinds[model](own, data, torch.Generator().manual_seed(1)))

    def step() -> object:
        batch, _ = make_draws(Config(), dataset)
        return stepper.step(batch.user, batch.positive, batch.negative)

    return step


def take_steps(name: str, size: dict[str, int]) -> int:
    """What a child does for its peak of memory."""
    stepper, inputs, problem = _prepared(name, Size(**size))
    draws = stepper.model.draws_of_epoch(inputs, seed=1, epoch=0)
    for number in range(3):
        batch, _ = make_draws(Config(), problem.dataset, seed=number)
        stepper.step(inputs, batch, draws(batch))
    with torch.no_grad():
        return len(stepper.model.encode(inputs).user)


def _prepared(name: str, size: Size) -> tuple[Stepper, Any, Problem]:
    problem = random_problem(size)
    model, settings = VARIANTS[name]
    ours = {"n_layers": "gnn_layers", "reg_weight": "modality_weight" if model == "FREEDOM" else "reg_weight"}
    config = Config.from_mapping({"model": model.lower(), **{ours[key]: value for key, value in settings.items()}})
    kind = find_model(config.model)
    inputs = _inputs(problem) if model == "FREEDOM" else kind.prepare(config, problem.dataset, device="cpu")
    built = kind.build(config, problem.dataset, inputs, seed=1)
    assert isinstance(built, TrainedModel)
    return Stepper(built), inputs, problem


def _inputs(problem: Problem) -> Inputs:
    """FREEDOM's constants with the problem's own item graph, whose search would take minutes."""
    whole = user_item_graph(problem.dataset.train_matrix, epsilon=MMREC_EPSILON)
    return Inputs(
        features=raw_features(problem.dataset, device="cpu"),
        user_item=SparseGraph.from_scipy(whole, symmetric=True),
        item_item=SparseGraph.from_scipy(problem.item_graph, symmetric=False),
        edges=weighted_edges(problem.dataset.train_matrix),
    )


def _with_graph(problem: Problem) -> type[LiteralFREEDOM]:
    graph = problem.item_graph.tocoo()
    indices = torch.from_numpy(np.stack([graph.row, graph.col]).astype(np.int64))
    given = torch.sparse_coo_tensor(
        indices, torch.from_numpy(graph.data), graph.shape, check_invariants=True
    ).coalesce()

    class Given(LiteralFREEDOM):
        def neighbours(self, features: np.ndarray) -> torch.Tensor:
            return given

    return Given

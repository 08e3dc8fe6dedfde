"""How long a training step takes, beside the products it cannot do without and beside its literal twin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from benchmarks.child import child_that_repeats
from benchmarks.problem import BABY, Size, make_draws, make_inputs, make_model, make_step, random_problem
from benchmarks.timing import Timing, interleave
from sea_core.config import Config
from sea_core.memory import keep_freed_memory
from sea_core.models.sea import SEA
from tests.reference.literal_sea import LiteralSEA, LiteralStepper

VARIANTS: dict[str, dict[str, Any]] = {"float32": {}, "bf16": {"precision": "bf16"}, "rank512": {"feature_rank": 512}}


def time_steps(*, rounds: int) -> dict[str, Timing]:
    """Interleave the floor, the literal twin and the variants of the fast step at Baby's size.

    The twin has a process of its own, because the fast path changes how a process keeps freed memory
    (``sea_core/memory.py``), which makes the twin faster too: ``literal, memory kept`` is the twin with that change.
    """
    problem = random_problem(BABY)
    with (
        child_that_repeats("step_speed:literal_step", {"keep_memory": False}) as literal,
        child_that_repeats("step_speed:literal_step", {"keep_memory": True}) as literal_kept,
    ):
        functions = {"floor": floor(BABY), "literal": literal}
        functions |= {name: make_step(Config(**changes), problem) for name, changes in VARIANTS.items()}
        functions["literal, memory kept"] = literal_kept
        return interleave(functions, rounds=rounds)


def floor(size: Size) -> Callable[[], object]:
    """The five float32 products of the image modality that no re-association avoids, with PyTorch's own ``mm``.

    ``D W``, ``F A^T``, ``dZ^T F``, ``D^T dA`` and ``dA W^T`` for the released reader sizes at split ratio 0.5: generic
    columns are read by 256 + 64 + 32 outputs, unique ones by 256 + 32, and together they are 384.
    """
    half, dim = size.image_dim // 2, size.image_dim
    generator = torch.Generator().manual_seed(0)

    def draw(rows: int, columns: int) -> torch.Tensor:
        return torch.randn(rows, columns, generator=generator)

    features, weight = draw(size.items, dim), draw(dim, dim)
    composed, d_read = draw(384, dim), draw(size.items, 384)
    halves = [(draw(352, half), draw(352, dim), weight[:half]), (draw(288, half), draw(288, dim), weight[half:])]
    # Results are written to memory that exists: allocation is not part of the floor.
    read, d_composed, d_weight = torch.empty(size.items, 384), torch.empty(384, dim), torch.empty(half, dim)
    rooms = [(torch.empty(len(d), dim), torch.empty(len(d), half)) for d, _, _ in halves]

    def products() -> None:
        for (readers, d_rows, part), (rows, d_readers) in zip(halves, rooms, strict=True):
            torch.mm(readers, part, out=rows)
            torch.mm(readers.T, d_rows, out=d_weight)
            torch.mm(d_rows, part.T, out=d_readers)
        torch.mm(features, composed.T, out=read)
        torch.mm(d_read.T, features, out=d_composed)

    return products


def literal_step(*, keep_memory: bool) -> Callable[[], object]:
    """A step of ``tests/reference/literal_sea.py`` at Baby's size with the same initial weights as the fast path."""
    if keep_memory:
        keep_freed_memory()
    config, problem = Config(), random_problem(BABY)
    inputs = make_inputs(config, problem)
    fast: SEA = make_model(config, problem, inputs)
    stepper = LiteralStepper(LiteralSEA(fast, problem.dataset.train_matrix, problem.item_graph))

    def step() -> object:
        return stepper.step(inputs.features.values, *make_draws(config, problem.dataset))

    return step

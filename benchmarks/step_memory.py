"""Peak memory of training, in a process of its own."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from benchmarks.child import Finished, run_child
from benchmarks.problem import CLOTHING, Size


def training_memory(size: Size = CLOTHING, **config: Any) -> Finished:
    """Peak of a child that trains some steps, encodes and validates; its result is the seconds of a step."""
    return run_child("step_memory:train_some_steps", {"size": asdict(size), "config": config})


def train_some_steps(size: dict[str, int], config: dict[str, Any], *, steps: int = 3) -> float:
    """Train on a random problem and return the fastest step's seconds; imports are the child's."""
    import time

    import torch

    from benchmarks.problem import make_draws, make_inputs, make_model, random_problem
    from sea_core.config import Config
    from sea_core.evaluation.full_ranking import embedding_scorer, evaluate
    from sea_core.training.step import Stepper

    choices, problem = Config(**config), random_problem(Size(**size))
    inputs = make_inputs(choices, problem)
    model = make_model(choices, problem, inputs)
    stepper, seconds = Stepper(model), []
    for number in range(steps):
        draws = make_draws(choices, problem.dataset, seed=number)
        started = time.perf_counter()
        stepper.step(inputs, *draws)
        seconds.append(time.perf_counter() - started)
    if len(problem.dataset.valid):
        with torch.no_grad():
            embeddings = model.encode(inputs)
        scorer = embedding_scorer(embeddings.user, embeddings.item)
        evaluate(scorer, train=problem.dataset.train_matrix, relevant=problem.dataset.valid)
    return min(seconds)

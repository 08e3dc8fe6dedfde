"""What an epoch spends beside its steps, what starting costs, and how long an epoch of a real dataset takes."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.child import run_child
from benchmarks.problem import BABY, Size, random_problem
from sea_core.config import Config
from sea_core.data.catalogue import load_dataset
from sea_core.layers.draws import EpochDraws
from sea_core.training.batches import EpochBatches
from sea_core.training.checkpoint import save_checkpoint
from sea_core.training.loop import CHECKPOINT_SECONDS
from sea_core.training.run import TrainingRun


def epoch_overhead(step_seconds: float) -> dict[str, float]:
    """Seconds of an epoch at Baby's size that do not train: batches with negatives, permutations, history, checkpoint.

    A checkpoint is written at most every ``CHECKPOINT_SECONDS``, so a shorter epoch bears its share of one.
    ``share`` is what all of them are of the epoch's ``steps * step_seconds``.
    """
    data, config = random_problem(BABY).dataset, Config()
    batches = EpochBatches(
        data.train, users=data.users, items=data.items, batch_size=config.batch_size, seed=0, device="cpu"
    )
    started = time.perf_counter()
    epoch = list(batches.of_epoch(0))
    batched = time.perf_counter()
    draws = EpochDraws(config, modalities=data.modalities, items=data.items, seed=0, epoch=0, device="cpu")
    for batch in epoch:
        draws.of_step(batch)
    drawn = time.perf_counter()
    epoch_seconds = len(epoch) * step_seconds
    seconds = {
        "batches and negatives": batched - started,
        "permutations": drawn - batched,
        "checkpoint and history": _checkpoint_seconds() * min(1.0, epoch_seconds / CHECKPOINT_SECONDS),
    }
    return {**seconds, "share": sum(seconds.values()) / (epoch_seconds + sum(seconds.values()))}


def startup_seconds() -> float:
    """Wall seconds of a fresh process up to the end of its first epoch of ``synthetic``, with caches filled."""
    run_child("overhead:first_epoch", {})
    return run_child("overhead:first_epoch", {}).wall_seconds


def first_epoch() -> float:
    """What the child of ``startup_seconds`` does; returns the loss, as a sign that it did."""
    run = TrainingRun(Config(epochs=1), load_dataset("synthetic"), seed=0)
    return run.advance().losses["total"]


def epoch_seconds(folder: str) -> float:
    """Median seconds of an epoch, training and validation, of a dataset; the first of four epochs is not counted."""
    run = TrainingRun(Config(epochs=4), load_dataset(folder), seed=0)
    return statistics.median([run.advance().seconds for _ in range(4)][1:])


def _checkpoint_seconds() -> float:
    """Seconds to write a run of Baby's size: weights, Adam's moments, best embeddings, reports of the epochs so far."""
    few = Size(interactions=BABY.users, validation=2_000)
    run = TrainingRun(Config(club_steps=1), random_problem(few).dataset, seed=0)
    run.advance()
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        save_checkpoint(run, Path(folder) / "run.safetensors")
        return time.perf_counter() - started

"""Train a run to its end, surviving kills: a checkpoint on the way, continued by the next call."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from sea_core.interrupts import StopRequest
from sea_core.training.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from sea_core.training.run import EpochReport, TrainingRun

CHECKPOINT_SECONDS = 30.0


class Stopped(Exception):  # noqa: N818 -- a request that was met, not an error
    """The user asked to stop; the run's checkpoint is written."""


def train_to_end(
    build: Callable[[], TrainingRun],
    *,
    checkpoint: Path,
    stop: StopRequest | None = None,
    on_epoch: Callable[[TrainingRun, EpochReport], None] | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> TrainingRun:
    """Train until the run is finished; the result does not depend on how often it was interrupted.

    Args:
        build: makes the run at its initial weights; called again if the checkpoint turns out to be unusable.
        checkpoint: file to continue from, in a folder that exists; written on a stop and on the way, and
            removed at the end.
        stop: looked at after each epoch (``sea_core.interrupts.graceful_stop``).
        on_epoch: called after each epoch.
        checkpoint_seconds: least time between two checkpoints.

    Raises:
        DivergedError: a loss is not finite.
        Stopped: ``stop`` was asked for, and the checkpoint was written.
    """
    run = build()
    if checkpoint.exists():
        try:
            load_checkpoint(run, checkpoint)
        except CheckpointError:
            run = build()  # what the file would have saved is computed again, to the same bits
    saved = time.monotonic()
    while not run.finished:
        report = run.advance()
        if on_epoch is not None:
            on_epoch(run, report)
        asked = stop is not None and stop.asked
        if asked or time.monotonic() - saved >= checkpoint_seconds:
            save_checkpoint(run, checkpoint)
            saved = time.monotonic()
        if asked and not run.finished:
            raise Stopped
    checkpoint.unlink(missing_ok=True)
    return run

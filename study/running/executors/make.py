"""Choosing an executor."""

from __future__ import annotations

from sea_core.data.dataset import Dataset
from study.running.executors.base import Executor
from study.running.executors.in_process import InProcessExecutor
from study.running.placement import Placement, cores
from study.running.worker import TrialWorker


def make_executor(dataset: Dataset, placement: Placement) -> Executor:
    """An executor for runs on ``dataset``; close it in the end."""
    if placement.workers == 1 and placement.ray_address is None:
        return InProcessExecutor(TrialWorker(dataset, device=placement.device, threads=placement.threads))
    from study.running.executors.ray_core import RayExecutor  # Ray takes seconds to import

    here = placement.ray_address is None
    return RayExecutor(
        dataset,
        workers=placement.workers,
        threads=placement.threads or (max(1, cores() // placement.workers) if here else 1),
        device=placement.device,
        gpus=placement.gpus,
        address=placement.ray_address,
    )

"""Choosing an executor."""

from __future__ import annotations

from sea_core.data.dataset import Dataset
from study.running.events import Emit, Note, silent
from study.running.executors.base import Executor
from study.running.executors.in_process import InProcessExecutor
from study.running.resources import AUTO, Resources, cores, say_workers
from study.running.worker import TrialWorker


def make_executor(dataset: Dataset, resources: Resources, *, emit: Emit = silent) -> Executor:
    """An executor for runs on ``dataset``; close it in the end. What ``--workers auto`` comes to is said."""
    asked, resources = resources, resources.settled(dataset)
    if asked.workers == AUTO:
        emit(Note(f"--workers {AUTO}: {say_workers(resources)}"))
    if resources.slots == 1 and resources.ray_address is None:
        return InProcessExecutor(TrialWorker(dataset, device=resources.device, threads=resources.threads))
    from study.running.executors.ray_core import RayExecutor  # Ray takes seconds to import

    here = resources.ray_address is None
    return RayExecutor(
        dataset,
        workers=resources.slots,
        threads=resources.threads or (max(1, cores() // resources.slots) if here else 1),
        device=resources.device,
        gpus=resources.gpus,
        address=resources.ray_address,
    )

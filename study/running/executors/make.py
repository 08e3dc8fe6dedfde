"""Choosing an executor."""

from __future__ import annotations

import os
from dataclasses import dataclass

from sea_core.data.dataset import Dataset
from sea_core.device import check_device
from sea_core.errors import UserError
from study.running.executors.base import Executor
from study.running.executors.in_process import InProcessExecutor
from study.running.worker import TrialWorker


@dataclass(frozen=True)
class Placement:
    """Where runs train.

    Attributes:
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        workers: runs at the same time.
        threads: processor threads of each; None = all cores, shared evenly.
        gpus: share of a GPU that each worker takes.
        ray_address: of a running Ray cluster; None = this machine.
    """

    device: str = "cpu"
    workers: int = 1
    threads: int | None = None
    gpus: float = 0.0
    ray_address: str | None = None

    @property
    def threads_of_a_run(self) -> int | None:
        """Processor threads that a run on this machine gets; None leaves torch's own choice."""
        return self.threads or (None if self.workers == 1 else max(1, _cores() // self.workers))

    def check(self) -> None:
        """See that this machine can do it.

        Raises:
            UserError: unknown device, or more threads than cores.
        """
        if self.ray_address is not None:
            return  # the cluster's nodes may be others than this one
        check_device(self.device)
        threads, cores = self.threads or 1, _cores()
        if self.workers * threads > cores:
            raise UserError(
                f"{self.workers} workers x {threads} threads are more than the {cores} cores of this machine; "
                "use fewer --workers or --threads"
            )


def make_executor(dataset: Dataset, placement: Placement) -> Executor:
    """An executor for runs on ``dataset``; close it in the end."""
    if placement.workers == 1 and placement.ray_address is None:
        return InProcessExecutor(TrialWorker(dataset, device=placement.device, threads=placement.threads))
    from study.running.executors.ray_core import RayExecutor  # Ray takes seconds to import

    here = placement.ray_address is None
    return RayExecutor(
        dataset,
        workers=placement.workers,
        threads=placement.threads or (max(1, _cores() // placement.workers) if here else 1),
        device=placement.device,
        gpus=placement.gpus,
        address=placement.ray_address,
    )


def _cores() -> int:
    """Cores this process may use, which a scheduler can make fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

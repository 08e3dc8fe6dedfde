"""What runs may use: device, workers, threads, a share of a GPU, a cluster."""

from __future__ import annotations

import os
from dataclasses import dataclass

from sea_core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What runs may use.

    Attributes:
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        workers: runs at the same time.
        threads: processor threads of each; None = all cores, shared evenly.
        gpus_per_worker: share of a GPU that each worker takes, with ``cuda``.
        ray_address: of a running Ray cluster; None = this machine.
    """

    device: str = "cpu"
    workers: int = 1
    threads: int | None = None
    gpus_per_worker: float = 1.0
    ray_address: str | None = None

    def __post_init__(self) -> None:
        for name in ("workers", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError(f"--{name} must be at least 1, got {value}")

    @property
    def gpus(self) -> float:
        """Share of a GPU that each worker takes; 0 where none is used."""
        return self.gpus_per_worker if self.device.startswith("cuda") else 0.0

    @property
    def threads_of_a_run(self) -> int | None:
        """Processor threads that a run on this machine gets; None leaves torch's own choice."""
        return self.threads or (None if self.workers == 1 else max(1, cores() // self.workers))

    def check(self) -> None:
        """See that this machine can do it.

        Raises:
            UserError: unknown device, or more threads than cores.
        """
        if self.ray_address is not None:
            return  # the cluster's nodes may be others than this one
        from sea_core.device import check_device  # torch takes seconds to import

        check_device(self.device)
        threads, available = self.threads or 1, cores()
        if self.workers * threads > available:
            raise UserError(
                f"{self.workers} workers x {threads} threads are more than the {available} cores of this machine; "
                "use fewer --workers or --threads"
            )


def cores() -> int:
    """Cores this process may use, which a scheduler can make fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

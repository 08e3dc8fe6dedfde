"""What runs may use: device, workers, threads, a share of a GPU, a cluster."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sea_core.errors import UserError
from sea_core.thread_rule import threads_that_pay

if TYPE_CHECKING:
    from sea_core.data.dataset import Dataset

AUTO = "auto"


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What runs may use.

    Attributes:
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        workers: runs at the same time; ``auto`` = what suits the data and this machine (``settled``).
        threads: processor threads of each; None = all cores, shared evenly, but one for small data (``settled``).
        gpus_per_worker: share of a GPU that each worker takes, with ``cuda``.
        ray_address: of a running Ray cluster; None = this machine.
    """

    device: str = "cpu"
    workers: int | str = 1
    threads: int | None = None
    gpus_per_worker: float = 1.0
    ray_address: str | None = None

    def __post_init__(self) -> None:
        for name in ("workers", "threads"):
            value = getattr(self, name)
            if isinstance(value, int) and value < 1:
                raise UserError(f"--{name} must be at least 1, got {value}")
        if isinstance(self.workers, str) and self.workers != AUTO:
            raise UserError(f"--workers must be a number or {AUTO}, got '{self.workers}'")
        if self.workers == AUTO and self.ray_address is not None:
            raise UserError("--workers auto counts the cores of this machine; with --ray-address give a number")

    @property
    def gpus(self) -> float:
        """Share of a GPU that each worker takes; 0 where none is used."""
        return self.gpus_per_worker if self.device.startswith("cuda") else 0.0

    @property
    def slots(self) -> int:
        """Runs at the same time; known once ``auto`` is settled."""
        assert isinstance(self.workers, int), "settle the workers first"
        return self.workers

    @property
    def threads_of_a_run(self) -> int | None:
        """Processor threads that a run on this machine gets; None leaves torch's own choice."""
        return self.threads or (None if self.slots == 1 else max(1, cores() // self.slots))

    def settled(self, dataset: Dataset) -> Resources:
        """The same with numbers in place of ``auto``, and with the threads that suit the data.

        As many workers as cores, of one thread each, because two runs side by side finish sooner than one after the
        other on twice the threads (docs/performance.md). Fewer where memory is not enough for their copies of the data
        and weights; each then has the cores that are left over. With ``cuda`` one, since a run fills the device. The
        machine's whole memory counts, not what is free: threads change the last bits, so load must not choose them.
        Where no threads are asked for, data on which a second one does not pay get one (``threads_that_pay``).
        """
        here = self.ray_address is None and not self.device.startswith("cuda")
        threads = self.threads or (threads_that_pay(dataset) if here else None)
        if isinstance(self.workers, int):
            return replace(self, threads=threads)
        if self.device.startswith("cuda"):
            return replace(self, workers=1)
        workers = max(1, min(cores() // (threads or 1), int(0.8 * _memory() / run_bytes(dataset))))
        return replace(self, workers=workers, threads=threads or max(1, cores() // workers))

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
        workers = self.workers if isinstance(self.workers, int) else 1
        if workers * threads > available:
            raise UserError(
                f"{workers} workers x {threads} threads are more than the {available} cores of this machine; "
                "use fewer --workers or --threads"
            )


def say_workers(resources: Resources) -> str:
    """``2 workers of 1 thread each``."""
    workers, threads = resources.slots, resources.threads_of_a_run or cores()
    return f"{workers} worker{'s' * (workers > 1)} of {threads} thread{'s' * (threads > 1)} each"


def cores() -> int:
    """Cores this process may use, which a scheduler can make fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_bytes(dataset: Dataset) -> int:
    """About the memory of a process that trains on a dataset, at the released sizes of the model.

    Libraries and caches 0.5 GB; features once; five square matrices for each modality (weight, gradient, both moments
    of Adam, the best epoch's); and float32 numbers per item (2,400) and user (1,300).
    """
    widths = [values.shape[1] for values in dataset.features.values()]
    numbers = sum(dataset.items * width + 5 * width**2 for width in widths)
    return 500_000_000 + 4 * (numbers + 2_400 * dataset.items + 1_300 * dataset.users)


def _memory() -> int:
    import psutil

    return int(psutil.virtual_memory().total)

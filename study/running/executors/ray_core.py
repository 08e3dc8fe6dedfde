"""Trials as Ray actors, on this machine or on a cluster: one actor per slot, nothing retried behind the driver's back.

The dataset travels once per node through Ray's object store, read-only. Checkpoints and records come back as bytes, so
the nodes need no common file system. An actor that dies is a lost attempt; the driver counts it and starts another.
When a node is gone, runs that find no place on the others wait for one of their actors, or for a node that joins.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import ray
from ray import exceptions

from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.plugins import loaded_plugins
from sea_core.run_folder import RunFiles
from study.records.run import Run
from study.running.executors.base import Failure, Paused, Progress
from study.running.worker import TrialWorker, classify

_POLL_SECONDS = 1.0  # between two chances for Ctrl-C
_CONNECT_SECONDS = 10.0
_LOST = (
    exceptions.RayActorError,
    exceptions.ObjectLostError,
    exceptions.NodeDiedError,
    exceptions.WorkerCrashedError,
)


class _Start(NamedTuple):
    key: str
    run: Run
    checkpoint: bytes | None


class RayExecutor:
    """See the module. Keeps the contract of ``Executor``."""

    def __init__(
        self,
        dataset: Dataset,
        *,
        workers: int,
        threads: int,
        device: str = "cpu",
        gpus: float = 0.0,
        address: str | None = None,
        worker: Callable[..., Any] = TrialWorker,
    ) -> None:
        """Connect to Ray, or start it here, and share the dataset.

        More than six parameters: the resources of a cluster, by name, and what tests replace.

        Args:
            dataset: what all runs train on.
            workers: number of slots.
            threads: processor threads of each.
            device: where a worker trains.
            gpus: share of a GPU that each worker takes.
            address: of a running Ray cluster (``auto``, ``HOST:PORT``); None starts Ray on this machine.
            worker: what an actor is made of; tests replace it.

        Raises:
            UserError: no cluster at the address, or it is too small.
        """
        self.slots = workers
        self._mine = address is None and not ray.is_initialized()
        quietly: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR", "ignore_reinit_error": True}
        try:
            if address is None:
                ray.init(num_cpus=workers * threads, include_dashboard=False, **quietly)
            else:
                _see_if_it_answers(address)
                ray.init(address=address, **quietly)
        except (OSError, ValueError, RuntimeError, exceptions.RayError) as error:
            reason = " ".join(str(error).split())
            raise UserError(f"no Ray cluster at {address}: {reason}; start one with: ray start --head") from None
        self._dataset = ray.put(dataset)
        self._settings: dict[str, Any] = {"device": device, "threads": threads, "plugins": loaded_plugins()}
        actor = ray.remote(num_cpus=threads, num_gpus=gpus, max_restarts=0, max_task_retries=0)
        self._make_actor = actor(worker)
        self._share = {"CPU": float(threads), **({"GPU": gpus} if gpus > 0 else {})}
        self._check_size()
        self._queue: list[_Start] = []
        self._starting: dict[str, _Start] = {}
        self._idle: list[Any] = []
        self._busy: dict[str, Any] = {}
        self._owed: dict[Any, str] = {}

    def start(self, key: str, run: Run, checkpoint: bytes | None) -> None:
        """See ``Executor``."""
        self._queue.append(_Start(key, run, checkpoint))
        self._place()

    def advance(self, key: str) -> None:
        """See ``Executor``."""
        self._owed[self._busy[key].advance.remote()] = key

    def next(self) -> tuple[str, Progress]:
        """See ``Executor``."""
        ready: list[Any] = []
        while not ready:
            if self._owed:
                ready, _ = ray.wait(list(self._owed), num_returns=1, timeout=_POLL_SECONDS)
            else:
                time.sleep(_POLL_SECONDS)
            if not ready:
                self._recall()
                self._place()
        key = self._owed.pop(ready[0])
        self._starting.pop(key, None)
        outcome = self._get(key, ready[0])
        return key, Progress(failure=outcome) if isinstance(outcome, Failure) else outcome

    def collect(self, key: str) -> RunFiles | Failure:
        """See ``Executor``."""
        files: RunFiles | Failure = self._get(key, self._busy[key].collect.remote())
        self._release(key)
        return files

    def pause(self, key: str) -> Paused | Failure:
        """See ``Executor``."""
        kept: Paused | Failure = self._get(key, self._busy[key].pause.remote())
        self._release(key)
        return kept

    def park(self, key: str) -> bytes | None:
        """See ``Executor``."""
        state = self._get(key, self._busy[key].park.remote())
        self._release(key)
        return None if isinstance(state, Failure) else state

    def discard(self, key: str) -> None:
        """See ``Executor``."""
        if key in self._busy:
            self._get(key, self._busy[key].discard.remote())
            self._release(key)

    def close(self) -> None:
        """See ``Executor``."""
        for actor in [*self._idle, *self._busy.values()]:
            ray.kill(actor)
        self._queue, self._starting, self._idle, self._busy, self._owed = [], {}, [], {}, {}
        if self._mine:
            ray.shutdown()

    def _place(self) -> None:
        """Start what is queued on idle actors, or on new ones as long as the cluster has room for them."""
        while self._queue:
            if self._idle:
                actor = self._idle.pop()
            elif len(self._busy) < self._room():
                actor = self._make_actor.remote(self._dataset, **self._settings)
            else:
                return
            start = self._queue.pop(0)
            self._busy[start.key], self._starting[start.key] = actor, start
            self._owed[actor.start.remote(start.run, start.checkpoint)] = start.key

    def _recall(self) -> None:
        """Queue starts again that wait for an actor on a node that is gone: Ray would let them wait for ever."""
        too_many = len(self._busy) + len(self._idle) - self._room()
        for key in list(self._starting)[: max(0, too_many)]:
            self._owed = {reference: other for reference, other in self._owed.items() if other != key}
            self._drop(key)
            self._queue.append(self._starting.pop(key))

    def _room(self) -> int:
        """How many actors fit on the nodes that are there now."""
        nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
        alive = [node["Resources"] for node in nodes if node["Alive"]]
        return sum(min(int(node.get(name, 0.0) / share) for name, share in self._share.items()) for node in alive)

    def _get(self, key: str, reference: Any) -> Any:
        """What an actor answered, or a failure; an actor that is gone gives up its slot."""
        try:
            return ray.get(reference)
        except exceptions.OutOfMemoryError as error:
            self._drop(key)
            return Failure("out-of-memory", _line(error), str(error), retry=True)
        except _LOST as error:
            self._drop(key)
            return Failure("lost", _line(error), str(error), retry=True)
        except exceptions.RayTaskError as error:
            return classify(error)

    def _release(self, key: str) -> None:
        if (actor := self._busy.pop(key, None)) is not None:
            self._idle.append(actor)

    def _drop(self, key: str) -> None:
        if (actor := self._busy.pop(key, None)) is not None:
            ray.kill(actor)  # it may only have been out of reach

    def _check_size(self) -> None:
        if self.slots > (room := self._room()):
            wanted = " and ".join(f"{share:g} {name}s" for name, share in self._share.items())
            raise UserError(
                f"{self.slots} workers with {wanted} each, on one node, were asked for; Ray's nodes have room for "
                f"{room}; use fewer --workers or --threads"
            )


def _see_if_it_answers(address: str) -> None:
    """Connect once: Ray itself tries for minutes, then ends the process.

    Raises:
        OSError: nothing answers at ``HOST:PORT``.
    """
    host, _, port = address.rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS).close()


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]

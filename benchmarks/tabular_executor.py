"""An executor that trains nothing: it answers the real driver with curves of a surrogate, and counts their epochs."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass

import numpy as np

from benchmarks.curve_surrogate import CurveSurrogate
from sea_core.config import Config
from sea_core.files import json_bytes
from sea_core.run_folder import HISTORY, RECORD, SCHEMA_VERSION, RunFiles
from sea_core.training.run import EpochReport
from study.records.run import Run
from study.running.executors.base import Paused, Progress


@dataclass
class _Going:
    """A run as far as it has come: ``curve`` is all it would ever report."""

    run: Run
    curve: np.ndarray
    epochs: int = 0
    best_epoch: int = -1

    def step(self) -> EpochReport:
        """The next epoch."""
        value = float(self.curve[self.epochs])
        improved = self.best_epoch < 0 or value > self.curve[self.best_epoch]
        self.best_epoch = self.epochs if improved else self.best_epoch
        self.epochs += 1
        return EpochReport(self.epochs - 1, {"total": 1.0}, {self.run.config.valid_metric: value}, improved, 1.0)

    @property
    def finished(self) -> bool:
        """As ``TrainingRun.finished``; the curve is no longer than the config's epochs."""
        stale = self.epochs - 1 - self.best_epoch if self.epochs else 0
        return self.epochs >= len(self.curve) or stale > self.run.config.stopping_step


class TabularExecutor:
    """Keeps the contract of ``Executor``; an epoch takes no time, and ``epochs_spent`` counts those asked for.

    A run is a function of (parameters, seed, world). Where a config's ``epochs`` goes beyond the surrogate's curve, the
    run ends with the curve.
    """

    def __init__(self, surrogate: CurveSurrogate, *, world: int, data_hash: str = "", slots: int = 1) -> None:
        """Take a surrogate.

        Args:
            surrogate: what it answers with.
            world: which of the surrogate's worlds; repeats of a simulation differ by it.
            data_hash: written into records, as the driver's dataset has it.
            slots: runs at a time.
        """
        self.slots, self.epochs_spent = slots, 0
        self._surrogate, self._world, self._data_hash = surrogate, world, data_hash
        self._going: dict[str, _Going] = {}
        self._owed: deque[tuple[str, Progress]] = deque()

    def start(self, key: str, run: Run, checkpoint: bytes | None) -> None:
        """See ``Executor``."""
        going = _Going(run, self._curve(run.config, run.seed))
        reports, note = [], None
        if checkpoint is not None:
            try:
                reports = [going.step() for _ in range(int(json.loads(checkpoint)["epochs"]))]
            except (ValueError, KeyError, TypeError, IndexError) as error:
                going, note = _Going(run, going.curve), f"starting anew: {error}"
        self._going[key] = going
        self._owed.append((key, Progress(reports=tuple(reports), finished=going.finished, note=note)))

    def advance(self, key: str) -> None:
        """See ``Executor``."""
        going = self._going[key]
        report = going.step()
        self.epochs_spent += 1
        self._owed.append((key, Progress(reports=(report,), finished=going.finished)))

    def next(self) -> tuple[str, Progress]:
        """See ``Executor``."""
        return self._owed.popleft()

    def collect(self, key: str) -> RunFiles:
        """See ``Executor``: a record and a history, without arrays."""
        going = self._going.pop(key)
        metric, config = going.run.config.valid_metric, going.run.config
        record = {
            "schema_version": SCHEMA_VERSION,
            "config": config.as_dict(),
            "config_hash": config.hash(),
            "seed": going.run.seed,
            "data_hash": self._data_hash,
            "best_epoch": going.best_epoch,
            "epochs": going.epochs,
            "seconds": float(going.epochs),
            "validation": {metric: float(going.curve[going.best_epoch])},
        }
        lines = [f"{epoch},{value}" for epoch, value in enumerate(going.curve[: going.epochs])]
        history = "\n".join([f"epoch,{metric}", *lines, ""])
        return {RECORD: json_bytes(record), HISTORY: history.encode()}

    def pause(self, key: str) -> Paused:
        """See ``Executor``."""
        state = self._state(key)
        return Paused(self.collect(key), state)

    def park(self, key: str) -> bytes | None:
        """See ``Executor``: how far the run has come is all its state."""
        state = self._state(key)
        self.discard(key)
        return state

    def discard(self, key: str) -> None:
        """See ``Executor``."""
        self._going.pop(key, None)

    def close(self) -> None:
        """See ``Executor``."""
        self._going.clear()

    def _state(self, key: str) -> bytes:
        return json.dumps({"epochs": self._going[key].epochs}).encode()

    def _curve(self, config: Config, seed: int) -> np.ndarray:
        parameters = {name: getattr(config, name) for name in self._surrogate.space}
        curve = self._surrogate.curve(parameters, seed=seed, world=self._world)
        if config.stopping_decimals is not None:
            curve = np.round(curve, config.stopping_decimals)
        return curve[: config.epochs]

"""Ways to spend epochs on a search, each run against the surrogate: those of the real driver, and rivals beside it.

A method returns what it judged, in order: after how many epochs in all a configuration had which validation value, and
up to how many epochs it had been allowed to train. What it would have chosen at any moment follows (``chosen``).
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from optuna.storages import InMemoryStorage

from benchmarks.curve_plan import SETTINGS, at_share
from benchmarks.curve_surrogate import CurveSurrogate, epochs_run
from benchmarks.tabular_executor import TabularExecutor
from sea_core.config import Config
from sea_core.data.dataset import Dataset, Interactions
from sea_core.interrupts import StopRequest
from sea_core.run_folder import RunFiles
from study.records.folder import StudyFolder
from study.records.run import Run
from study.running.driver import drive
from study.running.events import silent
from study.searching.budget import Budget
from study.searching.cost import Cost
from study.searching.methods import PROMOTE
from study.searching.promoting import PromotingSearch
from study.searching.promotion import Promotion
from study.searching.pruners import make_pruner
from study.searching.samplers import make_sampler
from study.searching.trial_store import TrialStore
from study.searching.trials import Search

Parameters = dict[str, Any]
SEED = 999  # of every study; worlds make repeats differ


class Judged(NamedTuple):
    """A configuration's value.

    Attributes:
        spent: epochs of the whole search when it was known.
        parameters: of the configuration.
        value: best validation value of its run.
        cap: epochs the run was allowed; values count only against those of an equal or smaller cap.
    """

    spent: int
    parameters: Parameters
    value: float
    cap: int


@dataclass(frozen=True)
class World:
    """One repeat of the simulation: its luck, and what a real study would be given.

    Attributes:
        surrogate: answers for training.
        number: the repeat; the study's seed is derived from it too.
        base: the base configuration, with early stopping and the most epochs of a whole run.
        warm: configurations that were best on another dataset.
    """

    surrogate: CurveSurrogate
    number: int
    base: Config
    warm: tuple[Parameters, ...] = ()

    @property
    def seed(self) -> int:
        """The study's."""
        return SEED + self.number

    def default(self) -> Parameters:
        """The base configuration's place in the space."""
        return {name: getattr(self.base, name) for name in self.surrogate.space}

    def first(self) -> list[Parameters]:
        """The base configuration, then settings that need no search."""
        return [self.default() | setting for setting in SETTINGS]

    def train(self, parameters: Parameters, seed: int, cap: int | None = None) -> tuple[float, int]:
        """Best validation value of a run, and how many epochs it took."""
        curve = self.surrogate.curve(parameters, seed=seed, world=self.number)[: cap or self.base.epochs]
        epochs = epochs_run(curve, self.base.stopping_step)
        return float(curve[:epochs].max()), epochs


Method = Callable[[World, int], list[Judged]]  # (world, budget in epochs)


def chosen(judged: Sequence[Judged], *, spent: int | None = None, count: int = 1) -> list[Parameters]:
    """What a method would choose: its best configurations after so many epochs, or in the end."""
    known = [each for each in judged if spent is None or each.spent <= spent]
    ranked = sorted(known, key=lambda each: (-each.cap, -each.value))
    distinct: list[Parameters] = []
    for each in ranked:
        if each.parameters not in distinct:
            distinct.append(each.parameters)
    return distinct[:count]


def default_alone(world: World, budget: int) -> list[Judged]:
    """No search: one run of the base configuration."""
    return _train_whole(world, [world.default()])


def first_list(world: World, budget: int) -> list[Judged]:
    """The base configuration and the settings that need no search, the best of them."""
    return _train_whole(world, world.first())


def grid(world: World, budget: int) -> list[Judged]:
    """36 cells at full length, as MMRec's scripts do it, in their order; the budget does not shorten it."""
    axes: Mapping[str, Sequence[Any]] = {
        "learning_rate": (1e-4, 1e-3),
        "alignment_weight": (0.001, 0.01, 0.1),
        "distance_weight": (0.001, 0.01, 0.1),
        "temperature": (0.2, 0.5),
    }
    cells = itertools.product(*axes.values())
    return _train_whole(world, [world.default() | dict(zip(axes, cell, strict=True)) for cell in cells])


@dataclass(frozen=True)
class IEpoch:
    """Random configurations up to a third of the epochs, one discard, and the best third to the end."""

    trial_epochs: int = 120
    keep: float = 1 / 3

    def __call__(self, world: World, budget: int) -> list[Judged]:
        """As many candidates as the budget lets begin."""
        short = self.trial_epochs // 3
        count = max(len(SETTINGS), int(budget / (short + self.keep * (self.trial_epochs - short))))
        candidates = [*world.first(), *_random_points(world, count - len(SETTINGS))]
        judged, spent, epochs_of = list[Judged](), 0, list[int]()
        for each in candidates:
            value, epochs = world.train(each, world.seed, short)
            spent += epochs
            epochs_of.append(epochs)
            judged.append(Judged(spent, each, value, short))
        ranked = sorted(range(count), key=lambda index: -judged[index].value)[: max(1, round(self.keep * count))]
        for index in ranked:
            value, epochs = world.train(candidates[index], world.seed)
            spent += epochs - epochs_of[index]
            judged.append(Judged(spent, candidates[index], value, world.base.epochs))
        return judged


@dataclass(frozen=True)
class Driven:
    """A method of the real driver: Optuna's sampler and pruner behind ``Search`` and ``TrialStore``.

    Attributes:
        sampler, pruner: names as on the command line.
        promotion: rules of the pruner ``promote``.
        cap: most epochs of a trial; None is that of a whole run.
        default_first: the base configuration and the other settings come before the sampler's proposals.
        warm: then the best of another dataset.
    """

    sampler: str
    pruner: str
    cap: int | None = None
    default_first: bool = True
    warm: bool = False
    promotion: Promotion = field(default_factory=Promotion)

    def __call__(self, world: World, budget: int) -> list[Judged]:
        """Search as ``run_search.py --budget <N>epochs`` does."""
        base = world.base if self.cap is None else world.base.override(epochs=self.cap)
        space = world.surrogate.space
        executor = TabularExecutor(world.surrogate, world=world.number)
        with tempfile.TemporaryDirectory(dir=_memory_folder()) as folder:
            store = TrialStore(
                InMemoryStorage(),
                f"world-{world.number}",  # hyperband sorts trials into brackets by name
                space,
                make_sampler=lambda number: make_sampler(self.sampler, space, seed=world.seed, number=number),
                pruner=make_pruner(self.pruner, epochs=base.epochs),
            )
            for parameters in (*(world.first() if self.default_first else ()), *(world.warm if self.warm else ())):
                store.enqueue(parameters)
            promote = self.pruner == PROMOTE
            kind: type[_Watched] = _WatchedPromoting if promote else _Watched
            search = kind(
                StudyFolder(Path(folder)),
                store,
                base=base,
                space=space,
                enumerate_grid=False,
                seed=world.seed,
                dataset=_NO_DATA,
                budget=Budget(cost=Cost(budget, "epochs")),
                emit=silent,
                **({"promotion": self.promotion} if promote else {}),
            )
            search.watch(executor)
            drive(search, executor, emit=silent, stop=StopRequest())
        return search.judged


class _Watched(Search):
    """A search that remembers what was complete when."""

    def watch(self, executor: TabularExecutor) -> None:
        self._executor, self.judged = executor, list[Judged]()

    def finish(self, run: Run, files: RunFiles, *, pruned: bool, attempts: int) -> None:
        parameters = self._open[run.key].params
        value = self._best_values[run.key]
        super().finish(run, files, pruned=pruned, attempts=attempts)
        if not pruned:
            self.judged.append(Judged(self._executor.epochs_spent, parameters, value, self._base.epochs))


class _WatchedPromoting(_Watched, PromotingSearch):
    """The same of a search that pauses trials: only those that ended by themselves are judged."""


def _train_whole(world: World, configurations: Sequence[Parameters]) -> list[Judged]:
    judged, spent = list[Judged](), 0
    for parameters in configurations:
        value, epochs = world.train(parameters, world.seed)
        spent += epochs
        judged.append(Judged(spent, parameters, value, world.base.epochs))
    return judged


def _random_points(world: World, count: int) -> list[Parameters]:
    rng, space = np.random.default_rng(world.seed), world.surrogate.space
    return [{name: at_share(each, float(rng.random())) for name, each in space.items()} for _ in range(count)]


def _memory_folder() -> str | None:
    """Where records of simulated trials cost no disk; None is the system's temporary folder."""
    return "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108


_NOTHING = Interactions(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
_NO_DATA = Dataset("curves", "", 1, 1, _NOTHING, _NOTHING, {})

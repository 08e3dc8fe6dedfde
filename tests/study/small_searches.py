"""A search on a tiny dataset, as ``run_search.py`` puts it together, with every part replaceable."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.interrupts import StopRequest
from study.records.folder import StudyFolder
from study.records.run import Run
from study.records.seeds import trial_seeds
from study.running.driver import drive
from study.running.events import Emit, silent
from study.running.executors.base import Executor
from study.running.executors.in_process import InProcessExecutor
from study.searching.budget import Budget
from study.searching.make import make_search
from study.searching.promotion import Promotion
from study.searching.pruners import make_pruner
from study.searching.samplers import make_sampler
from study.searching.space import Space, parse_space
from study.searching.storage import open_storage
from study.searching.trial_store import TrialStore
from tests.conftest import random_dataset
from tests.study.stand_in import StandInWorker

SPACE: dict[str, Any] = {
    "temperature": {"low": 0.05, "high": 1.0, "log": True},
    "split_ratio": {"low": 0.1, "high": 0.9},
    "knn_k": {"choices": [3, 5]},
    "gnn_layers": {"low": 1, "high": 3},
}
PROMOTION = Promotion(rungs=(1, 3), factor=2, points=2)
BASE = Config(epochs=5, stopping_step=50)


def open_store(
    folder: StudyFolder,
    *,
    space: Space,
    sampler: str = "tpe",
    pruner: str = "median",
    seed: int = 1,
    epochs: int = 5,
    seeds: int = 1,
    storage: str | None = None,
) -> TrialStore:
    folder.root.mkdir(parents=True, exist_ok=True)
    return TrialStore(
        open_storage(storage or f"sqlite:///{folder.database}"),
        "tiny",
        space,
        make_sampler=None if sampler == "grid" else lambda n: make_sampler(sampler, space, seed=seed, number=n),
        pruner=make_pruner(pruner, epochs=epochs, seeds=seeds),
    )


def search(
    root: Path,
    trials: int | None,
    *,
    space: dict[str, Any] = SPACE,
    sampler: str = "tpe",
    pruner: str = "median",
    dataset: Dataset | None = None,
    worker: Any = None,
    base: Config = BASE,
    misbehave: Callable[[Run, int], None] | None = None,
    stop: StopRequest | None = None,
    emit: Emit = silent,
    seeds_per_trial: int = 1,
    executor: Executor | None = None,
    storage: str | None = None,
    budget: Budget | None = None,
    promotion: Promotion | None = None,
) -> TrialStore:
    """Search until ``trials`` are reached; again with a larger number, it goes on."""
    dataset = dataset or random_dataset()
    folder, parsed = StudyFolder(root / "tiny"), parse_space(space, source="test")
    store = open_store(
        folder,
        space=parsed,
        sampler=sampler,
        pruner=pruner,
        epochs=base.epochs,
        seeds=seeds_per_trial,
        storage=storage,
    )
    source = make_search(
        folder,
        store,
        seeds=trial_seeds(7, seeds_per_trial),
        base=base,
        space=parsed,
        enumerate_grid=sampler == "grid",
        dataset=dataset,
        budget=budget or Budget(trials),
        promotion=promotion or (PROMOTION if pruner == "promote" else None),
        emit=emit,
    )
    executor = executor or InProcessExecutor(worker or StandInWorker(dataset, misbehave))
    drive(source, executor, emit=emit, stop=stop or StopRequest())
    return store


def outcome(store: TrialStore) -> list[tuple[Any, ...]]:
    """Everything of a study that must not depend on the clock or on interruptions."""
    return [(t.number, t.state, t.value, t.params, dict(t.intermediate_values)) for t in store.trials()]

"""The best trials compete again: trained on fresh seeds, compared on validation.

A trial that wins a search was lucky with the search's seed; on seeds that nobody chose it has to win once more.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.run_folder import read_run_folder
from study.records.folder import StudyFolder
from study.records.run import Run
from study.running.driver import RunSource
from study.running.events import Emit, StageBegun
from study.running.fixed_runs import FixedRuns
from study.searching.promoting import PAUSED


def rank_trials(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Complete trials, best first, equal configs once."""
    complete = [t for t in trials if t.state == TrialState.COMPLETE and "duplicate_of" not in t.user_attrs]
    return sorted(complete, key=lambda trial: (-(trial.value or 0.0), trial.number))


def candidates(trials: Sequence[FrozenTrial], count: int) -> list[FrozenTrial]:
    """The best complete trials; where there are too few, also such as were paused when the search ended.

    A small search promotes few of them to their end, and finalists are trained to theirs anyway. Those that came
    furthest are taken first.
    """
    complete = rank_trials(trials)
    paused = [t for t in trials if t.state == TrialState.PRUNED and t.user_attrs.get(PAUSED)]
    paused.sort(key=lambda trial: (-len(trial.intermediate_values), -(trial.value or 0.0), trial.number))
    return [*complete, *paused][:count]


def arrange_finalists(folder: StudyFolder, numbers: Collection[int]) -> None:
    """Leave the runs of these trials, and no others, among the finalists.

    Who was a finalist before the search went on and is none now lies in ``final/former/finalists``, and comes back from
    there if ranked again: nothing is trained twice. Stopped between two moves, the next call does the rest.
    """
    present, former = folder.finalists, folder.root / "final" / "former" / "finalists"
    for source, target, wanted in ((present, former, False), (former, present, True)):
        for path in sorted(source.glob("*")):
            if path.name.isdecimal() and (int(path.name) in numbers) == wanted:
                target.mkdir(parents=True, exist_ok=True)
                if (target / path.name).exists():
                    shutil.rmtree(target / path.name)
                path.rename(target / path.name)


def finalist_runs(folder: StudyFolder, configs: dict[int, Config], seeds: Sequence[int]) -> list[Run]:
    """One run for each finalist and fresh seed, by trial number."""
    return [
        Run(
            config,
            seed,
            folder.finalist(number, seed),
            "finalist",
            f"finalist {number}, seed {seed}",
            {"trial": {"number": number}},
        )
        for number, config in configs.items()
        for seed in seeds
    ]


def train_all(
    runs: Sequence[Run],
    title: str,
    *,
    dataset: Dataset,
    train: Callable[[RunSource], None],
    emit: Emit,
) -> None:
    """Train what is missing of ``runs`` as a stage named ``title``."""
    if runs:
        emit(StageBegun(title, total=len(runs), done=sum(run.is_done(dataset) for run in runs)))
        train(FixedRuns(runs, dataset=dataset, emit=emit))


def competed(folder: StudyFolder, trial: FrozenTrial, seeds: Sequence[int], metric: str) -> dict[str, Any] | None:
    """A finalist's entry in the selection; None if it failed on a seed. Without competition its search value counts."""
    values = validation_values([folder.finalist(trial.number, seed) for seed in seeds], metric)
    if len(values) < len(seeds):
        return None
    entry = {"number": trial.number, "search_value": trial.value, "seeds": list(seeds), "values": values}
    return entry | {"mean": statistics.fmean(values) if values else trial.value}


def validation_values(folders: Sequence[Path], metric: str) -> list[float]:
    """Validation ``metric`` of the runs that did not fail."""
    records = [read_run_folder(each).record for each in folders]
    return [record["validation"][metric] for record in records if "validation" in record]

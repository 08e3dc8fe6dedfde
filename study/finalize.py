"""From a finished search to its result: finalists compete on fresh seeds, the winner alone is opened on the test split.

A trial that wins a search was lucky with the search's seed. So the finalists are trained again on fresh seeds and
compared on validation; the winner is then trained on other fresh seeds, and only these runs are reported. What the
score lost on the way (the winner's curse) is recorded.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from optuna.trial import FrozenTrial, TrialState

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.files import write_json
from sea_core.run_folder import read_run_folder
from sea_core.streams import fresh_seeds
from study.driver import RunSource
from study.final_runs import FinalRun, FinalRuns
from study.progress import Display
from study.seeds import finalist_seeds
from study.study_folder import StudyFolder

SCHEMA_VERSION = 1
RULE = "highest mean validation {metric} over the finalists' fresh seeds; ties go to the earlier trial"


class Winner(NamedTuple):
    """The selected trial."""

    number: int
    config: Config
    seeds: list[int]


def finalize(
    folder: StudyFolder,
    trials: Sequence[FrozenTrial],
    *,
    base: Config,
    seed: int,
    finalists: int,
    fresh: int,
    dataset: Dataset,
    train: Callable[[RunSource], None],
    display: Display,
) -> Winner:
    """Select the winner on validation, then open it on test.

    Args:
        folder: of the study.
        trials: of the search.
        base: the config that the trials' parameters override.
        seed: the study's.
        finalists: how many of the best trials compete; with one there is no competition.
        fresh: fresh seeds per config.
        dataset: what to train on.
        train: drives a source of runs to its end.
        display: told what is going on.

    Raises:
        UserError: every finalist failed on a fresh seed.
        ValueError: no trial is complete.
    """
    ranked = rank_trials(trials)[:finalists]
    if not ranked:
        raise ValueError(f"no trial of {folder.name} is complete")
    configs = {trial.number: base.override(**trial.params) for trial in ranked}
    seeds = finalist_seeds(seed, fresh) if len(ranked) > 1 else []
    rounds = f"finalists on fresh seeds, {dataset.name}"
    _train_all(_finalist_runs(folder, configs, seeds), rounds, dataset=dataset, train=train, display=display)
    entries = [entry for trial in ranked if (entry := _competed(folder, trial, seeds, base.valid_metric)) is not None]
    if not entries:
        raise UserError(f"every finalist of {folder.name} failed on a fresh seed; see {folder.root}/final/finalists")
    chosen = max(entries, key=lambda entry: (entry["mean"], -entry["number"]))
    winner = Winner(chosen["number"], configs[chosen["number"]], fresh_seeds(seed, fresh))
    selection: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "metric": base.valid_metric,
        "rule": RULE.format(metric=base.valid_metric) if len(ranked) > 1 else "the best trial; no other competed",
        "finalists": entries,
        "winner": winner.number,
        "config_hash": winner.config.hash(),
        "seeds": winner.seeds,
        "shrinkage": None,
    }
    set_aside_former_winner(folder, winner)
    folder.selection.parent.mkdir(parents=True, exist_ok=True)
    write_json(folder.selection, selection)  # before the test split is opened
    rounds = f"winner (trial {winner.number}) on fresh seeds, {dataset.name}"
    _train_all(_winner_runs(folder, winner), rounds, dataset=dataset, train=train, display=display)
    write_json(folder.selection, selection | {"shrinkage": _shrinkage(folder, winner, ranked, base.valid_metric)})
    return winner


def rank_trials(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Complete trials, best first, equal configs once."""
    complete = [t for t in trials if t.state == TrialState.COMPLETE and "duplicate_of" not in t.user_attrs]
    return sorted(complete, key=lambda trial: (-(trial.value or 0.0), trial.number))


def set_aside_former_winner(folder: StudyFolder, winner: Winner) -> None:
    """Move an earlier winner's runs and ablations to ``final/former/<config hash>``, where their receipts remain."""
    for run in sorted((folder.root / "final" / "winner").glob("seed-*")):
        try:
            found = read_run_folder(run)
            if found.config == winner.config:
                continue
            former = str(found.record["config_hash"])
        except (UserError, KeyError):
            continue
        aside = folder.root / "final" / "former" / former
        aside.mkdir(parents=True, exist_ok=True)
        for source in (run, folder.root / "ablations"):
            target = aside / source.name
            if source.exists() and not target.exists():
                source.rename(target)
            elif source.exists():
                shutil.rmtree(source)


def _finalist_runs(folder: StudyFolder, configs: dict[int, Config], seeds: Sequence[int]) -> list[FinalRun]:
    return [
        FinalRun(
            folder.finalist(number, seed),
            config,
            seed,
            f"finalist {number}, seed {seed}",
            extra={"trial": {"number": number}},
        )
        for number, config in configs.items()
        for seed in seeds
    ]


def _winner_runs(folder: StudyFolder, winner: Winner) -> list[FinalRun]:
    extra = {"trial": {"number": winner.number}}
    return [
        FinalRun(folder.winner(seed), winner.config, seed, f"winner, seed {seed}", opens_test=True, extra=extra)
        for seed in winner.seeds
    ]


def _train_all(
    runs: Sequence[FinalRun],
    title: str,
    *,
    dataset: Dataset,
    train: Callable[[RunSource], None],
    display: Display,
) -> None:
    if runs:
        display.stage(title, total=len(runs), done=sum(run.is_done(dataset) for run in runs))
        train(FinalRuns(runs, dataset=dataset, display=display))


def _competed(folder: StudyFolder, trial: FrozenTrial, seeds: Sequence[int], metric: str) -> dict[str, Any] | None:
    """A finalist's entry in the selection; None if it failed on a seed. Without competition its search value counts."""
    values = _validation([folder.finalist(trial.number, seed) for seed in seeds], metric)
    if len(values) < len(seeds):
        return None
    entry = {"number": trial.number, "search_value": trial.value, "seeds": list(seeds), "values": values}
    return entry | {"mean": statistics.fmean(values) if values else trial.value}


def _shrinkage(
    folder: StudyFolder, winner: Winner, ranked: Sequence[FrozenTrial], metric: str
) -> dict[str, float] | None:
    """What the winner's validation score lost from the search to fresh seeds; None if it failed on all of them."""
    values = _validation([folder.winner(seed) for seed in winner.seeds], metric)
    search_value = next(trial.value for trial in ranked if trial.number == winner.number)
    if not values or search_value is None:
        return None
    mean = statistics.fmean(values)
    return {"search_value": search_value, "fresh_mean": mean, "difference": search_value - mean}


def _validation(folders: Sequence[Path], metric: str) -> list[float]:
    records = [read_run_folder(each).record for each in folders]
    return [record["validation"][metric] for record in records if "validation" in record]

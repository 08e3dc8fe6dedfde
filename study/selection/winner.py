"""From a finished search to its result: the winner among the finalists, opened on the test split.

The winner is trained on fresh seeds of its own, and only these runs are reported. What the score lost on the way (the
winner's curse) is recorded. The base configuration competes with the finalists, so that a tuned winner has beaten it on
fresh seeds, and is trained and opened beside it, so that everybody sees what tuning bought.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.files import write_json
from sea_core.run_folder import RECORD, read_run_folder
from sea_core.streams import fresh_seeds, stream_seed
from study.records.folder import StudyFolder
from study.records.run import Run
from study.records.seeds import finalist_seeds
from study.running.driver import RunSource
from study.running.events import Emit
from study.selection.finalists import (
    arrange_finalists,
    candidates,
    competed,
    finalist_runs,
    rank_trials,
    train_all,
    validation_values,
)

SCHEMA_VERSION = 1
RULE = "highest mean validation {metric} over the finalists' fresh seeds; ties go to the earlier trial"
DEFAULT = "the base configuration, which is kept: no finalist beat it on fresh seeds"


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
    competing: int,
    dataset: Dataset,
    train: Callable[[RunSource], None],
    emit: Emit,
    beside_default: bool = True,
    controls: int = 0,
) -> Winner:
    """Select the winner on validation, then open it on test.

    More than six parameters: the parts of a study, each made by another room; this function is where they meet.

    Args:
        folder: of the study.
        trials: of the search.
        base: the config that the trials' parameters override.
        seed: the study's.
        finalists: how many of the best trials compete, and the base configuration if it was a trial; with one there is
            no competition. Where too few are complete, paused ones compete too.
        fresh: fresh seeds of the winner and the base configuration.
        competing: seeds of a finalist, at most as many.
        dataset: what to train on.
        train: drives a source of runs to its end.
        emit: told what is going on.
        beside_default: train and open the base configuration too, on the winner's seeds.
        controls: trials other than the winner's, drawn at random, to train on the winner's seeds; validation only.

    Raises:
        UserError: every finalist failed on a fresh seed.
        ValueError: no trial is complete.
    """
    complete = rank_trials(trials)
    if not complete:
        raise ValueError(f"no trial of {folder.name} is complete")
    default = next((trial for trial in complete if base.override(**trial.params) == base), None)
    ranked = candidates(trials, finalists)
    if len(ranked) > 1 and default is not None and default not in ranked:
        ranked.append(default)
    configs = {trial.number: base.override(**trial.params) for trial in ranked}
    seeds = finalist_seeds(seed, fresh)[:competing] if len(ranked) > 1 else []
    arrange_finalists(folder, configs if seeds else ())
    rounds = f"finalists on fresh seeds, {dataset.name}"
    train_all(finalist_runs(folder, configs, seeds), rounds, dataset=dataset, train=train, emit=emit)
    entries = [entry for trial in ranked if (entry := competed(folder, trial, seeds, base.valid_metric)) is not None]
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
        "trials": sum(trial.state.is_finished() for trial in trials),
        "shrinkage": None,
        "default": None if default is None else default.number,
        "tuning": None,
    }
    if len(ranked) > 1 and winner.config == base:
        selection["rule"] = DEFAULT
    set_aside_former_winner(folder, winner)
    folder.selection.parent.mkdir(parents=True, exist_ok=True)
    write_json(folder.selection, selection)  # before the test split is opened
    rounds = f"winner (trial {winner.number}) on fresh seeds, {dataset.name}"
    train_all(_winner_runs(folder, winner), rounds, dataset=dataset, train=train, emit=emit)
    if beside_default and winner.config != base:
        number = None if default is None else default.number
        rounds = f"base configuration on the winner's seeds, {dataset.name}"
        train_all(_default_runs(folder, base, winner.seeds, number), rounds, dataset=dataset, train=train, emit=emit)
        selection["tuning"] = _tuning(folder, winner, base.valid_metric)
    runs = control_runs(folder, complete, winner, base=base, seed=seed, count=controls)
    train_all(runs, f"controls on the winner's seeds, {dataset.name}", dataset=dataset, train=train, emit=emit)
    write_json(folder.selection, selection | {"shrinkage": _shrinkage(folder, winner, ranked, base.valid_metric)})
    return winner


def set_aside_former_winner(folder: StudyFolder, winner: Winner) -> None:
    """Move an earlier winner's runs and ablations to ``final/former/<config hash>``, where their receipts remain."""
    for run in sorted((folder.root / "final" / "winner").glob("seed-*")):
        try:
            recorded = read_run_folder(run)
            if recorded.config == winner.config:
                continue
            former = str(recorded.record["config_hash"])
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


def _winner_runs(folder: StudyFolder, winner: Winner) -> list[Run]:
    extra = {"trial": {"number": winner.number}}
    return [
        Run(winner.config, seed, folder.winner(seed), "winner", f"winner, seed {seed}", extra) for seed in winner.seeds
    ]


def _default_runs(folder: StudyFolder, base: Config, seeds: Sequence[int], number: int | None) -> list[Run]:
    extra = {"rival": "default", **({} if number is None else {"trial": {"number": number}})}
    return [
        Run(base, seed, folder.default(seed), "default", f"base configuration, seed {seed}", extra) for seed in seeds
    ]


def control_runs(
    folder: StudyFolder, complete: Sequence[FrozenTrial], winner: Winner, *, base: Config, seed: int, count: int
) -> list[Run]:
    """Some trials again on the winner's fresh seeds.

    Drawn from all but the winner: to leave out the other finalists too would leave out the lucky ones, and call the
    luck of the winner's seed selection.
    """
    order = np.random.default_rng(stream_seed(seed, "controls")).permutation([trial.number for trial in complete])
    chosen = [int(number) for number in order if number != winner.number][:count]
    configs = {trial.number: base.override(**trial.params) for trial in complete if trial.number in chosen}
    return [
        Run(
            config,
            each,
            folder.control(number, each),
            "finalist",
            f"control {number}, seed {each}",
            {"trial": {"number": number}, "control": True},
        )
        for number, config in configs.items()
        for each in winner.seeds
    ]


def _tuning(folder: StudyFolder, winner: Winner, metric: str) -> dict[str, float] | None:
    """What the search bought on validation: means over the seeds that both finished, None of none."""
    pairs = [
        validation_values([folder.winner(seed), folder.default(seed)], metric)
        for seed in winner.seeds
        if (folder.default(seed) / RECORD).exists()
    ]
    both = [pair for pair in pairs if len(pair) == 2]
    if not both:
        return None
    tuned, default = (statistics.fmean(values) for values in zip(*both, strict=True))
    return {"winner_mean": tuned, "default_mean": default, "difference": tuned - default}


def _shrinkage(
    folder: StudyFolder, winner: Winner, ranked: Sequence[FrozenTrial], metric: str
) -> dict[str, float] | None:
    """What the winner's validation score lost from the search to fresh seeds; None if it failed on all of them.

    Of a winner that the search had paused nobody can say: its score is that of a few epochs.
    """
    values = validation_values([folder.winner(seed) for seed in winner.seeds], metric)
    trial = next(trial for trial in ranked if trial.number == winner.number)
    search_value = trial.value
    if not values or search_value is None or trial.state != TrialState.COMPLETE:
        return None
    mean = statistics.fmean(values)
    return {"search_value": search_value, "fresh_mean": mean, "difference": search_value - mean}

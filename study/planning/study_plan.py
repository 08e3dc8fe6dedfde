"""From command-line options to studies that can be run: everything is checked here, and nothing is written."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sea_core.config import Config
from sea_core.config_files import build_config, parse_assignments, read_yaml
from sea_core.data.catalogue import load_dataset
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from study.records.folder import StudyFolder, study_folder
from study.records.identity import check_identity, make_identity
from study.records.seeds import MOST_SEEDS_PER_TRIAL
from study.running.executors.make import Placement
from study.searching.space import Space, as_plain, grid, load_space
from study.searching.storage import check_url
from study.searching.warm_start import warm_start

SEARCH_EPOCHS = 40  # most epochs of a trial, unless the user says otherwise
DEFAULT_TRIALS = 20


@dataclass(frozen=True)
class StudyPlan:
    """One study on one dataset, checked and ready.

    Attributes:
        base: the config that all trials share but for the searched parameters.
        space: what is searched, without what ``--set`` fixed.
        trials: total number of trials; None = every cell of a grid.
        timeout: seconds after which no trial begins.
        storage: URL of Optuna's storage.
        first: parameters of trials that come before the sampler's.
        exists: the study was begun earlier.
        seeds_per_trial: the most seeds a trial is judged on.
    """

    folder: StudyFolder
    dataset: Dataset
    base: Config
    space: Space
    sampler: str
    pruner: str
    seed: int
    trials: int | None
    timeout: float | None
    storage: str
    first: list[dict[str, Any]]
    finalists: int
    fresh_seeds: int
    identity: Mapping[str, Any]
    exists: bool
    seeds_per_trial: int = 1

    @property
    def expected_trials(self) -> int:
        """Number of trials when nothing fails."""
        return len(grid(self.space)) if self.trials is None else self.trials


def plan_studies(options: argparse.Namespace) -> list[StudyPlan]:
    """One plan per dataset.

    Raises:
        UserError: anything wrong with options, files or data, or a study of that name with other settings.
    """
    for name, least in (
        ("n_trials", 1),
        ("seeds_per_trial", 1),
        ("finalists", 1),
        ("fresh_seeds", 1),
        ("timeout", 0),
        ("seed", 0),
        ("threads", 1),
        ("workers", 1),
    ):
        value = getattr(options, name)
        if value is not None and value < least:
            raise UserError(f"--{name.replace('_', '-')} must be at least {least}, got {value}")
    if options.seeds_per_trial > MOST_SEEDS_PER_TRIAL:
        raise UserError(f"--seeds-per-trial must be at most {MOST_SEEDS_PER_TRIAL}, got {options.seeds_per_trial}")
    pruner = options.pruner or _default_pruner(options)
    make_placement(options).check()
    if options.storage is not None:
        check_url(options.storage)
    base = _base_config(options)
    space = _searched(load_space(options.space), options.set)
    if options.sampler == "grid":
        grid(space)
    first = _first_trials(options, space)
    plans = []
    for source in dict.fromkeys(options.dataset):
        dataset = load_dataset(
            source, data_root=options.data_root, modalities=base.modalities, feature_transform=base.feature_transform
        )
        folder = study_folder(options.out, _study_name(options, dataset))
        identity = make_identity(
            folder, dataset, base=base, space=as_plain(space), sampler=options.sampler, pruner=pruner, seed=options.seed
        )
        if options.seeds_per_trial > 1:
            identity["seeds_per_trial"] = options.seeds_per_trial
        if first:
            identity["warm_start"] = first
        plans.append(
            StudyPlan(
                folder=folder,
                dataset=dataset,
                base=base,
                space=space,
                sampler=options.sampler,
                pruner=pruner,
                seed=options.seed,
                trials=_trials(options),
                timeout=options.timeout,
                storage=options.storage or f"sqlite:///{folder.database.resolve()}",
                first=first,
                finalists=options.finalists,
                fresh_seeds=options.fresh_seeds,
                identity=identity,
                exists=check_identity(folder, identity),
                seeds_per_trial=options.seeds_per_trial,
            )
        )
    folders = [plan.folder.root for plan in plans]
    if len(set(folders)) < len(folders):
        raise UserError(f"two datasets would share one folder: {', '.join(map(str, folders))}; search them one by one")
    return plans


def make_placement(options: argparse.Namespace) -> Placement:
    """Where the options say that runs train."""
    return Placement(
        device=options.device,
        workers=options.workers,
        threads=options.threads,
        gpus=options.gpus_per_worker if options.device.startswith("cuda") else 0.0,
        ray_address=options.ray_address,
    )


def joint_folder(options: argparse.Namespace, plans: list[StudyPlan]) -> Path:
    """Where the tables over all studies go: the study's own folder if there is one, else ``<study-name>``."""
    if len(plans) == 1:
        return plans[0].folder.root
    return study_folder(options.out, "search" if options.study_name is None else options.study_name).root


def _base_config(options: argparse.Namespace) -> Config:
    said = {} if options.config is None else read_yaml(options.config)
    epochs = options.epochs
    if epochs is None and "epochs" not in said and "epochs" not in parse_assignments(options.set):
        epochs = SEARCH_EPOCHS
    return build_config(options.preset, options.config, options.set, {"epochs": epochs})


def _searched(space: Space, assignments: list[str]) -> Space:
    """The space without what the user fixed on the command line."""
    fixed = parse_assignments(assignments)
    left = {name: distribution for name, distribution in space.items() if name not in fixed}
    if not left:
        raise UserError(f"--set fixes every parameter of the search space ({', '.join(space)}); leave one to search")
    return left


def _first_trials(options: argparse.Namespace, space: Space) -> list[dict[str, Any]]:
    if options.warm_start is None:
        return []
    if options.sampler == "grid":
        raise UserError("--warm-start and --sampler grid exclude each other: a grid tries every cell anyway")
    named = options.out / options.warm_start
    return warm_start(named if named.is_dir() else Path(options.warm_start), space)


def _default_pruner(options: argparse.Namespace) -> str:
    """A grid is made to see every cell; a pruned one has no value that could stand beside the others."""
    if options.sampler == "grid":
        return "none"
    return "median" if options.seeds_per_trial == 1 else "halving"


def _trials(options: argparse.Namespace) -> int | None:
    if options.n_trials is None and options.sampler != "grid":
        return DEFAULT_TRIALS
    count: int | None = options.n_trials
    return count


def _study_name(options: argparse.Namespace, dataset: Dataset) -> str:
    name = re.sub("[^A-Za-z0-9._-]+", "-", dataset.name)
    if len(dict.fromkeys(options.dataset)) > 1:
        return f"{'search' if options.study_name is None else options.study_name}-{name}"
    return f"{name}-search" if options.study_name is None else str(options.study_name)

"""From what was asked for to studies that can be run: everything is checked here, and nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sea_core.config import Config
from sea_core.config_files import build_config, read_config
from sea_core.data.catalogue import load_dataset, with_other_splits
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.plugins import training_plugins
from sea_core.streams import fresh_seeds
from study.planning.requests import SEARCH_EPOCHS, SearchRequest
from study.records.folder import StudyFolder, name_for, study_folder
from study.records.seeds import MOST_SEEDS_PER_TRIAL, finalist_seeds, split_seeds_of
from study.records.spec import StudySpec, check_spec, read_spec
from study.searching.cost import Cost, parse_cost
from study.searching.foreign_space import is_foreign, read_foreign
from study.searching.methods import GRID, NO_PRUNER
from study.searching.space import (
    DEFAULT,
    Space,
    as_plain,
    check_space,
    contains,
    grid,
    parse_first,
    parse_space,
    read_space,
    space_of_model,
)
from study.searching.storage import check_url
from study.searching.warm_start import WarmStart, warm_start

DEFAULT_TRIALS = 20
TYPICAL_EPOCHS = 120  # until early stopping: the mean over the learning curves on file lies near it


@dataclass(frozen=True)
class StudyPlan:
    """One study on one dataset, checked and ready.

    Attributes:
        base: the config that all trials share but for the searched parameters; its epochs cap a trial.
        final_epochs: cap of finalists, winner and arms.
        space: what is searched, without what ``--set`` fixed.
        trials: total number of trials; None = every cell of a grid, or what the budget allows.
        budget: what trials may cost in all.
        timeout: seconds after which no trial begins.
        storage: URL of Optuna's storage.
        first: parameters of trials that come before the sampler's: the base config's, those of the space's ``first``
            list, then those of a warm start.
        exists: the study was begun earlier.
        seeds_per_trial: the most seeds a trial is judged on.
        adopt: go on with the study although its folder was renamed or copied.
        final_seed: what the seeds of finalists and winner are derived from; None = ``seed``. Repeated searches differ
            in their ``seed`` and share this one.
        notes: what a user should know of how the request was read.
    """

    folder: StudyFolder
    dataset: Dataset
    base: Config
    final_epochs: int
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
    spec: StudySpec
    exists: bool
    seeds_per_trial: int = 1
    budget: Cost | None = None
    adopt: bool = False
    final_seed: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def default_is_a_trial(self) -> bool:
        """Whether the base configuration lies in the space, so that it comes first."""
        return bool(self.first) and all(self.first[0].get(name) == getattr(self.base, name) for name in self.space)

    @property
    def final_base(self) -> Config:
        """The base config of finalists, winner and arms."""
        return self.base.override(epochs=self.final_epochs)

    @property
    def expected_trials(self) -> int:
        """Number of trials when nothing fails; with a budget about as many as it allows, and of time nobody knows."""
        if self.sampler == GRID:
            most = len(grid(self.space))
        elif self.budget is None or self.budget.unit == "seconds":
            most = DEFAULT_TRIALS
        elif self.budget.unit == "runs":
            most = int(self.budget.amount)
        else:
            most = max(1, int(self.budget.amount / min(self.base.epochs, TYPICAL_EPOCHS)))
        return most if self.trials is None else self.trials if self.budget is None else min(most, self.trials)


def plan_studies(requests: Sequence[SearchRequest]) -> list[StudyPlan]:
    """One plan per request, in their order.

    Raises:
        UserError: as ``plan_study``, or two of them would share a folder.
    """
    plans = [plan_study(request) for request in requests]
    folders = [plan.folder.root for plan in plans]
    if len(set(folders)) < len(folders):
        raise UserError(f"two datasets would share one folder: {', '.join(map(str, folders))}; search them one by one")
    return plans


def plan_study(request: SearchRequest) -> StudyPlan:
    """Check everything that was asked for; nothing is written.

    Raises:
        UserError: anything wrong with files or data, or a study of that name with other settings.
    """
    if request.seeds_per_trial > MOST_SEEDS_PER_TRIAL:
        raise UserError(f"--seeds-per-trial must be at most {MOST_SEEDS_PER_TRIAL}, got {request.seeds_per_trial}")
    request.resources.check()
    if request.storage is not None:
        check_url(request.storage)
    base, final_epochs = _base_config(request)
    dataset = load_dataset(
        request.dataset,
        data_root=request.data_root,
        modalities=base.modalities,
        feature_transform=base.feature_transform,
    )
    seeds = (finalist_seeds(request.seed, request.fresh_seeds), fresh_seeds(request.seed, request.fresh_seeds))
    if request.split_seeds:
        dataset = with_other_splits(dataset, split_seeds_of(request.seed, request.split_seeds, *seeds))
    space, wanted_first, notes = _searched(request, base.model, dataset)
    pruner = request.pruner or _default_pruner(request)
    cells = len(grid(space)) if request.sampler == GRID else None
    folder = study_folder(request.out, name_for(request.study_name, dataset.name))
    final_epochs = _final_epochs(request, folder, final_epochs)
    warm, warm_from = _warm_start(request, space, base.model, folder)
    first = [] if request.sampler == GRID else first_trials(base, space, wanted_first, warm.trials)
    spec = StudySpec(
        study=folder.name,
        dataset=dataset.name,
        source=dataset.source,
        data_hash=dataset.data_hash,
        seed=request.seed,
        sampler=request.sampler,
        pruner=pruner,
        metric=base.valid_metric,
        space=as_plain(space),
        config=base.as_dict(),
        plugins=training_plugins(),
        final_epochs=final_epochs,
        seeds_per_trial=request.seeds_per_trial,
        split_seeds=request.split_seeds,
        first=first,
        warm_start=warm.trials,
        warm_start_from=warm_from,
    )
    return StudyPlan(
        folder=folder,
        dataset=dataset,
        base=base,
        final_epochs=final_epochs,
        space=space,
        sampler=request.sampler,
        pruner=pruner,
        seed=request.seed,
        trials=_trials(request, cells),
        timeout=request.timeout,
        storage=request.storage or f"sqlite:///{folder.database.resolve()}",
        first=first,
        finalists=request.finalists,
        fresh_seeds=request.fresh_seeds,
        spec=spec,
        exists=check_spec(folder, spec),
        seeds_per_trial=request.seeds_per_trial,
        budget=None if request.budget is None else parse_cost(request.budget),
        adopt=request.adopt,
        notes=(*notes, *warm.notes),
    )


def _base_config(request: SearchRequest) -> tuple[Config, int]:
    """The base config with the cap of a trial, and the cap of what is final."""
    own = {"model": request.model, "metrics": request.metrics}
    config = build_config(request.preset, request.config, request.settings, own)
    gives_epochs = "epochs" in request.settings or (
        request.config is not None and "epochs" in read_config(request.config)
    )
    final = config.epochs if request.final_epochs is None else request.final_epochs
    usual = min(config.epochs if gives_epochs else SEARCH_EPOCHS, final)
    trial = usual if request.epochs is None else request.epochs
    return config.override(epochs=trial), max(trial, final)


def _final_epochs(request: SearchRequest, folder: StudyFolder, wanted: int) -> int:
    """What was asked for; else a study that exists goes on with its own, which once was the cap of its trials."""
    stored = read_spec(folder)
    if stored is None or request.final_epochs is not None:
        return wanted
    return int(stored.final_epochs or stored.config.get("epochs", wanted))


def first_trials(
    base: Config, space: Space, wanted: Sequence[Mapping[str, Any]], warm: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What comes before the sampler's proposals, so that no search is worse than none: equal ones once.

    Args:
        base: the config that trials share; with its own values of the searched parameters it is the first trial.
        space: what is searched.
        wanted: the space's ``first`` list, each completed by the base config.
        warm: trials of an earlier study, completed by the sampler.
    """
    default = {name: getattr(base, name) for name in space}
    settings = [default, *(default | {name: each[name] for name in each if name in space} for each in wanted)]
    inside = [each for each in settings if all(contains(space[name], value) for name, value in each.items())]
    trials: list[dict[str, Any]] = []
    for each in (*inside, *map(dict, warm)):
        if each not in trials:
            trials.append(each)
    return trials


def _searched(
    request: SearchRequest, model: str, dataset: Dataset
) -> tuple[Space, list[dict[str, Any]], tuple[str, ...]]:
    """The space without what the user fixed and what the data have no use for, what it wants tried first, and notes.

    The space is by default the model's own.
    """
    content, source, notes = _space_content(request, model)
    space, first = parse_space(content, source), parse_first(content, source)
    check_space(space, model, source=source)
    left = {name: distribution for name, distribution in space.items() if name not in request.settings}
    if not left:
        raise UserError(f"--set fixes every parameter of the search space ({', '.join(space)}); leave one to search")
    if len(dataset.modalities) > 2:
        left.pop("image_weight", None)  # the weight of one modality says nothing about three
    if not left:
        raise UserError(
            f"image_weight is for two modalities, but the data have {', '.join(dataset.modalities)}; search another "
            "parameter, or choose two modalities with --set modalities=[...]"
        )
    return left, first, notes


def _space_content(request: SearchRequest, model: str) -> tuple[Mapping[str, Any], str, tuple[str, ...]]:
    """What the space's file holds, where it lies, and what was changed to understand it."""
    given = space_of_model(model) if request.space == DEFAULT else request.space
    if isinstance(given, str) and is_foreign(Path(given)):
        foreign = read_foreign(Path(given), model, skip_unknown=request.skip_unknown)
        return foreign.content, given, tuple(foreign.notes)
    if request.skip_unknown:
        raise UserError("--skip-unknown is for space files of MMRec and RecBole, and --space names none")
    content, source = read_space(given) if isinstance(given, str) else (given, "the request's space")
    return content, source, ()


def _warm_start(
    request: SearchRequest, space: Space, model: str, folder: StudyFolder
) -> tuple[WarmStart, Sequence[str]]:
    """What earlier studies give, and their names.

    What was taken over is part of the study. So a study that is there keeps it, whatever became of its sources.
    """
    stored = read_spec(folder)
    roots = [request.out / each if (request.out / each).is_dir() else Path(each) for each in request.warm_start]
    names = list(dict.fromkeys(root.resolve().name for root in roots))
    if stored is not None and stored.warm_start:
        sources = list(stored.warm_start_from)
        if names and sources and names != sources:
            raise UserError(
                f"the study {folder.root} took over the best trials of {_quoted(sources)}, not of {_quoted(names)}; "
                "leave --warm-start out, or choose another --study-name"
            )
        return WarmStart([dict(each) for each in stored.warm_start], []), sources
    if not roots:
        return WarmStart([], []), []
    return warm_start(list(dict.fromkeys(root.resolve() for root in roots)), space, model), names


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _default_pruner(request: SearchRequest) -> str:
    """A grid is made to see every cell; a pruned one has no value that could stand beside the others."""
    if request.sampler == GRID:
        return NO_PRUNER
    return "median" if request.seeds_per_trial == 1 else "halving"


def _trials(request: SearchRequest, cells: int | None) -> int | None:
    """The total; a grid has no more trials than cells."""
    if cells is None:
        return DEFAULT_TRIALS if request.n_trials is None and request.budget is None else request.n_trials
    return None if request.n_trials is None or request.n_trials >= cells else request.n_trials

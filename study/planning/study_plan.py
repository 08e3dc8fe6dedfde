"""From what was asked for to studies that can be run: everything is checked here, and nothing is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sea_core.config import Config
from sea_core.config_files import build_config, read_config
from sea_core.data.catalogue import load_dataset, with_other_splits
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.models.registry import find_model
from sea_core.plugins import training_plugins
from sea_core.streams import fresh_seeds
from study.planning.requests import FINALIST_SEEDS, FRESH_SEEDS, SEARCH_EPOCHS, SearchRequest, beyond_the_cap
from study.records.folder import StudyFolder, name_for, refuse_shared, study_folder
from study.records.seeds import MOST_SEEDS_PER_TRIAL, finalist_seeds, split_seeds_of
from study.records.selection import read_selection
from study.records.spec import StudySpec, check_spec, read_spec
from study.searching.cost import Cost, parse_cost
from study.searching.foreign_space import is_foreign, read_foreign
from study.searching.methods import GRID, NO_PRUNER, PROMOTE
from study.searching.promotion import RUNGS, Promotion
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
from study.searching.unread import OF_SEVERAL_MODALITIES
from study.searching.warm_start import WarmStart, warm_start

DEFAULT_TRIALS = 20
DEFAULT_BUDGET = Cost(20, "runs")
TYPICAL_EPOCHS = 120  # until early stopping: the mean over the learning curves on file lies near it


@dataclass(frozen=True)
class StudyPlan:
    """One study on one dataset, checked and ready.

    Attributes:
        base: the config that all trials share but for the searched parameters; its epochs cap a trial.
        promotion: the rules by which trials pause and go on; None = none pauses.
        finalist_seeds: on how many seeds finalists compete.
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
        controls: trials that were not selected and run again on the winner's fresh seeds.
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
    finalist_seeds: int = FINALIST_SEEDS
    promotion: Promotion | None = None
    budget: Cost | None = None
    adopt: bool = False
    final_seed: int | None = None
    controls: int = 0
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
        else:
            runs = self.budget.amount if self.budget.unit == "runs" else self.budget.amount / self.typical_epochs
            share = 1.0 if self.promotion is None else self.promotion.share(self.typical_epochs)
            # The first one is run to its end.
            most = 1 + max(0, int((runs - 1) / share))
        return most if self.trials is None else self.trials if self.budget is None else min(most, self.trials)

    @property
    def typical_epochs(self) -> int:
        """How long a trial is expected to learn that nobody pauses or prunes."""
        return min(self.base.epochs, TYPICAL_EPOCHS)


def plan_studies(requests: Sequence[SearchRequest]) -> list[StudyPlan]:
    """One plan per request, in their order.

    Raises:
        UserError: as ``plan_study``, or two of them would share a folder.
    """
    plans = [plan_study(request) for request in requests]
    refuse_shared([plan.folder for plan in plans], "datasets")
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
    base = _base_config(request)
    if not find_model(base.model).trains:
        raise UserError(
            f"model '{base.model}' is not trained, so there is nothing to search; every winner stands beside it anyway"
        )
    dataset = load_dataset(
        request.dataset,
        data_root=request.data_root,
        modalities=base.modalities,
        feature_transform=base.feature_transform,
    )
    folder = study_folder(request.out, name_for(request.study_name, dataset.name))
    stored, (fresh_before, competed_on) = read_spec(folder), _chosen_on(folder)
    fresh = request.fresh_seeds or fresh_before or FRESH_SEEDS
    if request.split_seeds:
        seeds = (finalist_seeds(request.seed, fresh), fresh_seeds(request.seed, fresh))
        dataset = with_other_splits(dataset, split_seeds_of(request.seed, request.split_seeds, *seeds))
    searched_before = () if stored is None else stored.space.keys()  # which a study that exists goes on with
    space, wanted_first, notes = _searched(request, base.model, dataset, searched_before)
    pruner = request.pruner or (stored.pruner if stored is not None else _default_pruner(request))
    cells = len(grid(space)) if request.sampler == GRID else None
    base, final_epochs = _with_caps(base, request, pruner, stored)
    promotion = _promotion(request, stored, base.epochs) if pruner == PROMOTE else None
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
        promotion=None if promotion is None else promotion.as_dict(),
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
        promotion=promotion,
        trials=_trials(request, cells, paused=promotion is not None),
        timeout=request.timeout,
        storage=request.storage or f"sqlite:///{folder.database.resolve()}",
        first=first,
        finalists=request.finalists,
        controls=request.controls,
        fresh_seeds=fresh,
        # On a few seeds; in a study that has chosen, on as many as they did.
        finalist_seeds=fresh if request.split_seeds else min(fresh, competed_on or FINALIST_SEEDS),
        spec=spec,
        exists=check_spec(folder, spec),
        seeds_per_trial=request.seeds_per_trial,
        budget=_budget(request, paused=promotion is not None),
        adopt=request.adopt,
        notes=(*notes, *warm.notes),
    )


def _base_config(request: SearchRequest) -> Config:
    """The base config, with the epochs of what is final."""
    own = {"model": request.model, "metrics": request.metrics}
    return build_config(request.preset, request.config, request.settings, own)


def _with_caps(base: Config, request: SearchRequest, pruner: str, stored: StudySpec | None) -> tuple[Config, int]:
    """The base config with the cap of a trial, and the cap of what is final.

    Trials that pause at rungs need no cap of their own. A study that exists goes on with the caps it has, the second of
    which was the first once; only what is final may be given another one.
    """
    final = base.epochs if request.final_epochs is None else request.final_epochs
    given = "epochs" in request.settings or (request.config is not None and "epochs" in read_config(request.config))
    trial = min(base.epochs if given else final if pruner == PROMOTE else SEARCH_EPOCHS, final)
    if request.epochs is not None:
        trial = request.epochs
    elif stored is not None and not given:
        trial = int(stored.config.get("epochs", trial))
    final = max(trial, final)
    if stored is not None and request.final_epochs is None:
        final = int(stored.final_epochs or stored.config.get("epochs", final))
    return base.override(epochs=trial), final


def _promotion(request: SearchRequest, stored: StudySpec | None, cap: int) -> Promotion:
    """What was asked for, else the study's own, else the usual rungs as far as a trial reaches them.

    Raises:
        UserError: a rung that was asked for lies beyond the cap.
    """
    if request.rungs is not None:
        if request.rungs[-1] >= cap:
            raise beyond_the_cap(request.rungs[-1], cap)
        return Promotion(rungs=request.rungs)
    if stored is not None and stored.promotion is not None:
        return Promotion.from_mapping(stored.promotion)
    return Promotion(rungs=tuple(rung for rung in RUNGS if rung < cap))


def _chosen_on(folder: StudyFolder) -> tuple[int, int]:
    """On how many seeds the study's winner was trained, and its finalists; 0 where there are none."""
    try:
        selection = read_selection(folder)
    except UserError:  # the search writes it anew; until then the runs that it tells of are counted
        finalists = [len(list(trial.glob("seed-*"))) for trial in folder.finalists.glob("*")]
        return len(list(folder.winner(0).parent.glob("seed-*"))), max(finalists, default=0)
    return (0, 0) if selection is None else (len(selection.seeds), selection.competed_on)


def _budget(request: SearchRequest, *, paused: bool) -> Cost | None:
    if request.budget is None and request.n_trials is None and paused and request.sampler != GRID:
        return DEFAULT_BUDGET
    return None if request.budget is None else parse_cost(request.budget)


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
    request: SearchRequest, model: str, dataset: Dataset, searched_before: Collection[str]
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
    dead = sorted(left.keys() & OF_SEVERAL_MODALITIES.difference(searched_before))
    if len(dataset.modalities) == 1 and dead:
        left = {name: distribution for name, distribution in left.items() if name not in dead}
        notes = (*notes, f"one modality, so not searched, as nothing reads them: {', '.join(dead)}")
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
    return PROMOTE if request.seeds_per_trial == 1 else "halving"


def _trials(request: SearchRequest, cells: int | None, *, paused: bool) -> int | None:
    """The total; a grid has no more trials than cells."""
    if cells is None:
        unlimited = request.n_trials is None and request.budget is None
        return DEFAULT_TRIALS if unlimited and not paused else request.n_trials
    return None if request.n_trials is None or request.n_trials >= cells else request.n_trials

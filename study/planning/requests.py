"""What a search and an ablation are asked to do. Programs parse into these, notebooks and tests make them.

Requests are frozen, and name what was asked for; whether files, data and folders allow it is seen in planning. Messages
name options, which carry the fields' names: ``fresh_seeds`` is ``--fresh-seeds``. Nothing heavy is imported here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sea_core.errors import UserError, suggest
from sea_core.project import default_data, default_results
from study.running.resources import Resources
from study.searching.cost import parse_cost
from study.searching.methods import GRID, PROMOTE, PRUNERS, SAMPLERS
from study.searching.promotion import Promotion

DATASET = "{dataset}"  # in a study's name: the name of its dataset
AUTO = "auto"  # seeds until decided
MODES = ("frozen", "retuned", "both")
GREEDY, RACE, ONCE = "greedy", "race", "once"
CHOICES: Mapping[str, str] = {
    GREEDY: "compares all changes that are left after every step",
    RACE: "is greedy, but a change that falls behind gets no further seed",
    ONCE: "compares them once, at the first step, and keeps that order",
}
SEARCH_EPOCHS = 40  # most epochs of a trial that no rung pauses, unless the user says otherwise
FRESH_SEEDS = 10
SEEDS_AT_MOST = 1000  # a slip of the keyboard should not plan for hours
COPIES_AT_MOST = 50
SEARCHES_AT_MOST = 100
CHOICE_SEEDS_AT_MOST = 64  # so many are set aside, of which none is among those that steps are tested on
FINALIST_SEEDS = 3  # of the fresh ones, at most: a choice needs less than a result


@dataclass(frozen=True, kw_only=True)
class SearchRequest:
    """A study on one dataset.

    Attributes:
        dataset: a name (``python -m sea_core data list``), or the path of a folder.
        data_root: where named dataset folders lie.
        space: what is searched: a name in ``study/spaces``, a YAML file, or a mapping as such a file holds it;
            ``default`` is the model's own. A YAML of MMRec (``hyper_parameters``) or a ``.test`` file of RecBole does
            too.
        skip_unknown: leave out what such a file searches and the model does not have.
        n_trials: total of complete, pruned and failed trials; None = what ``budget`` allows, or every cell of a grid.
        budget: what trials may cost in all: ``20x`` (runs as long as the base configuration's, trained until it stops),
            ``2000epochs`` or ``30min``; None = no limit but ``n_trials``, and without that ``20x`` if trials are paused
            (else 20 trials).
        timeout: seconds after which no trial begins.
        sampler, pruner: names in ``study/searching/methods.py``; no pruner = the one that suits the search.
        rungs: epochs at which the pruner ``promote`` pauses trials; None = its own.
        seeds_per_trial: the most seeds a trial is judged on.
        warm_start: finished studies (names in ``out``, or folders) whose best trials come first; one may be given by
            itself.
        seed: of the search and of every trial; fresh seeds are derived from it.
        model: what is trained (``python -m sea_core models``); None = the config's, else ``sea``.
        preset, config, settings: where the config comes from: one of the model's presets (None = its first), then a
            YAML file or a record, then single keys; a key among ``settings`` is not searched.
        epochs: most epochs of a trial; None = the config's, else as many as of a finalist if trials are paused at
            rungs, and 40 if not.
        final_epochs: most epochs of finalists, winner and arms, which stop early; None = the config's, else 1000.
        metrics: shown and evaluated, like ``recall@5``; None = the config's.
        finalists: best trials that compete again on fresh seeds.
        controls: trials that were not selected, run again on the winner's fresh seeds: a lucky seed flattered them too.
        fresh_seeds: how many, for winner and arms; finalists compete on three of their own at most. None = as many as
            the study had, else 10.
        split_seeds: on how many splits of the data these seeds train in turn; 0 = on the data's own.
        finalize: whether the winner is opened on the test split.
        suite: arms to ablate the winner with; None = none.
        out: parent of study folders; the project's ``results``, or those of the current folder once installed.
        study_name: folder in ``out``, in which ``{dataset}`` stands for the dataset's name.
        storage: URL of Optuna's storage; None = ``study.db`` in the study's folder.
        adopt: go on with a study whose folder was renamed or copied, under its new name.
        resources: where runs train.
    """

    dataset: str = "synthetic"
    data_root: Path = field(default_factory=default_data)
    space: str | Mapping[str, Any] = "default"
    skip_unknown: bool = False
    n_trials: int | None = None
    budget: str | None = None
    timeout: float | None = None
    sampler: str = "tpe"
    pruner: str | None = None
    rungs: tuple[int, ...] | None = None
    seeds_per_trial: int = 1
    warm_start: tuple[str, ...] = ()
    seed: int = 999
    model: str | None = None
    preset: str | None = None
    config: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    epochs: int | None = None
    final_epochs: int | None = None
    metrics: tuple[str, ...] | None = None
    finalists: int = 3
    controls: int = 0
    fresh_seeds: int | None = None
    split_seeds: int = 0
    finalize: bool = True
    suite: str | None = "default"
    out: Path = field(default_factory=default_results)
    study_name: str = f"{DATASET}-search"
    storage: str | None = None
    adopt: bool = False
    resources: Resources = field(default_factory=Resources)

    def __post_init__(self) -> None:
        _as_paths(self, "data_root", "config", "out")
        _as_tuples(self, "metrics", "warm_start")
        _at_least(self, n_trials=1, timeout=0, seeds_per_trial=1, seed=0, epochs=1, finalists=1, fresh_seeds=1)
        _at_least(self, final_epochs=1, split_seeds=0, controls=0)
        _at_most(self, fresh_seeds=SEEDS_AT_MOST)
        whole_splits(self.split_seeds, self.fresh_seeds or FRESH_SEEDS)
        if self.epochs is not None and self.final_epochs is not None and self.final_epochs < self.epochs:
            raise UserError(
                f"--final-epochs must be at least --epochs ({self.epochs}), got {self.final_epochs}: a winner that may "
                "learn for less than it did as a trial is another one"
            )
        if self.budget is not None:
            parse_cost(self.budget)
        _one_of(self, sampler=SAMPLERS, pruner=PRUNERS)
        _suits_promotion(self)
        if self.warm_start and self.sampler == GRID:
            raise UserError("--warm-start and --sampler grid exclude each other: a grid tries every cell anyway")


@dataclass(frozen=True, kw_only=True)
class AblationRequest:
    """An ablation on one dataset: of a study's winner (``from_study``), or of a config.

    Attributes:
        dataset: a name, or the path of a folder; with ``from_study`` where the study's data are now. None = where the
            study found them, or ``synthetic``.
        from_study: name of a study in ``out``, or its folder, which gives dataset, config and seed.
        data_root: where named dataset folders lie.
        arms: names of shipped arms, or YAML files; empty = those of ``suite``.
        suite: a named list of arms.
        fresh_seeds: how many, the same for every arm, or ``auto``: looks at 10, 20, 40 seeds until decided. None = what
            the ablation was begun with, else the study's, else 10.
        max_seeds: the most seeds of ``auto``; None = 40.
        extra_full: seeds of the full model alone, beside those that all arms share, or ``auto``: as many as make the
            differences most precise for their cost. None = what the ablation was begun with, else 0.
        primary: metric of the primary question; None = the one that decided the search.
        contrasts: arms whose difference to ``full`` is primary; None = which of no-club, no-solosim and no-both run.
        margin: largest difference that does not matter, as a share of the full model's mean; None = 0.02.
        split_seeds: on how many splits of the data these seeds train in turn; a study has its own.
        placebo: copies of the full model on seeds of their own, shown beside the arms and outside of their family.
        mode: ``frozen``, ``retuned`` or ``both``.
        searches: independent searches of each re-tuned arm, the full model too; 3 or more are decided upon, fewer are
            described. None = what the ablation was begun with, else 1.
        model, preset, config, settings, epochs, metrics, seed: of the full model's runs, as in ``SearchRequest``; a
            study has its own.
        out: parent of study folders; the project's ``results``, or those of the current folder once installed.
        study_name: folder in ``out``, in which ``{dataset}`` stands for the dataset's name; a study has its own.
        resources: where runs train.
    """

    dataset: str | None = None
    from_study: str | None = None
    data_root: Path = field(default_factory=default_data)
    arms: tuple[str, ...] = ()
    suite: str = "default"
    fresh_seeds: int | str | None = None
    max_seeds: int | None = None
    extra_full: int | str | None = None
    primary: str | None = None
    contrasts: tuple[str, ...] | None = None
    margin: float | None = None
    split_seeds: int = 0
    placebo: int = 0
    mode: str = "frozen"
    searches: int | None = None
    model: str | None = None
    preset: str | None = None
    config: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    epochs: int | None = None
    metrics: tuple[str, ...] | None = None
    seed: int = 999
    out: Path = field(default_factory=default_results)
    study_name: str = f"{DATASET}-ablations"
    resources: Resources = field(default_factory=Resources)

    def __post_init__(self) -> None:
        _as_paths(self, "data_root", "config", "out")
        _as_tuples(self, "metrics", "arms", "contrasts")
        if self.contrasts is not None:  # one that is named twice is asked once
            object.__setattr__(self, "contrasts", tuple(dict.fromkeys(self.contrasts)))
        if self.fresh_seeds != AUTO:
            if isinstance(self.fresh_seeds, str):
                raise UserError(f"--fresh-seeds must be a number or auto, got '{self.fresh_seeds}'")
            if self.max_seeds is not None:
                raise UserError("--max-seeds belongs to --fresh-seeds auto, which it ends")
            _at_least(self, fresh_seeds=1)
            _at_most(self, fresh_seeds=SEEDS_AT_MOST)
        _at_least(self, epochs=1, seed=0, max_seeds=5, split_seeds=0, placebo=0, searches=1)
        _at_most(self, max_seeds=SEEDS_AT_MOST, placebo=COPIES_AT_MOST, searches=SEARCHES_AT_MOST)
        if self.extra_full is not None:
            _check_extra_full(self)
        if self.searches is not None and self.mode == "frozen":
            raise UserError("--searches repeats the searches of re-tuned arms; add --mode retuned or both")
        suits_splits(self, self.split_seeds)
        if self.margin is not None and not 0 < self.margin < 1:
            raise UserError(f"--margin must be a share between 0 and 1, got {self.margin}")
        _one_of(self, mode=MODES)
        if self.from_study is not None:
            default = AblationRequest()
            refuse_with_study(name for name in OF_THE_STUDY if getattr(self, name) != getattr(default, name))


@dataclass(frozen=True, kw_only=True)
class PathRequest:
    """An ablation path from a study's base configuration to its winner.

    Attributes:
        from_study: name of a finished study in ``out``, or its folder.
        dataset: where the study's data are now; None = where the study found them.
        data_root: where named dataset folders lie.
        seeds: how many the steps are tested on; None = those of the study's arms, else of its winner.
        choice_seeds: how many the order is chosen on; None = what the path was begun with, else 3.
        choose: how each next change is chosen, one of ``CHOICES``; None = what the path was begun with, else greedy.
        out: parent of study folders.
        resources: where runs train.
    """

    from_study: str = ""
    dataset: str | None = None
    data_root: Path = field(default_factory=default_data)
    seeds: int | None = None
    choice_seeds: int | None = None
    choose: str | None = None
    out: Path = field(default_factory=default_results)
    resources: Resources = field(default_factory=Resources)

    def __post_init__(self) -> None:
        _as_paths(self, "data_root", "out")
        if not self.from_study:
            raise UserError("a path leads from a study's base configuration to its winner; give --from-study NAME")
        _at_least(self, seeds=1, choice_seeds=1)
        _at_most(self, seeds=SEEDS_AT_MOST, choice_seeds=CHOICE_SEEDS_AT_MOST)
        _one_of(self, choose=CHOICES)


OF_THE_STUDY = (
    "model",
    "config",
    "settings",
    "preset",
    "epochs",
    "metrics",
    "seed",
    "split_seeds",
    "study_name",
)  # not to be said beside --from-study


def refuse_with_study(given: Any) -> None:
    """Refuse what a study has already.

    Args:
        given: names of fields of ``AblationRequest``.

    Raises:
        UserError: one of them is among ``OF_THE_STUDY``.
    """
    for name in given:
        if name in OF_THE_STUDY:
            flag = "--set" if name == "settings" else _flag(name)
            raise UserError(f"{flag} cannot be combined with --from-study, which takes it from the study")


def _check_extra_full(request: AblationRequest) -> None:
    if request.extra_full != AUTO:
        if isinstance(request.extra_full, str):
            raise UserError(f"--extra-full must be a number or auto, got '{request.extra_full}'")
        _at_least(request, extra_full=0)
        _at_most(request, extra_full=SEEDS_AT_MOST)
        if request.extra_full == 1:
            raise UserError("--extra-full must be 0, or at least 2, as one seed does not tell how seeds vary, got 1")
    if request.fresh_seeds == AUTO:
        raise UserError("--extra-full belongs to a fixed number of --fresh-seeds, not to auto")


def suits_splits(request: AblationRequest, splits: int) -> None:
    """Refuse what cannot be where fresh seeds train on several splits.

    Args:
        request: of an ablation.
        splits: its own number, or that of the study whose winner is ablated; 0 = the data's own split alone.

    Raises:
        UserError: splits would have different numbers of seeds, or what was asked for has no split.
    """
    if not splits:
        return
    if request.fresh_seeds == AUTO:
        raise UserError("--split-seeds needs a fixed number of --fresh-seeds, not auto: a split is one replicate")
    if request.fresh_seeds is not None or request.from_study is None:
        whole_splits(splits, int(request.fresh_seeds or 10))
    if (request.searches or 1) > 1:
        raise UserError("--searches cannot be combined with --split-seeds: searches stay on the data's own split")
    if request.placebo:
        raise UserError("--placebo cannot be combined with --split-seeds: a copy has no split of its own")
    if request.extra_full is not None:
        raise UserError("--extra-full cannot be combined with --split-seeds: a split is one replicate")


def _suits_promotion(request: SearchRequest) -> None:
    """Refuse what means nothing together with pausing trials at rungs, and rungs without that."""
    if request.pruner == PROMOTE and request.seeds_per_trial > 1:
        raise UserError(
            "--pruner promote pauses a trial between epochs, --seeds-per-trial judges it on whole runs; leave one of "
            "them out"
        )
    if request.rungs is None:
        return
    object.__setattr__(request, "rungs", tuple(map(int, request.rungs)))
    if request.pruner not in (None, PROMOTE) or request.seeds_per_trial > 1:
        raise UserError("--rungs are where --pruner promote pauses trials; leave them out, or choose that pruner")
    Promotion(rungs=request.rungs or ())
    if request.epochs is not None and request.rungs and request.rungs[-1] >= request.epochs:
        raise beyond_the_cap(request.rungs[-1], request.epochs)


def beyond_the_cap(rung: int, cap: int) -> UserError:
    """Nobody can pause at a rung that no trial reaches."""
    return UserError(
        f"--rungs must lie below the most epochs of a trial ({cap}), got {rung}: no trial would pause there; give a "
        "smaller one, or a larger --epochs"
    )


def _as_paths(request: object, *names: str) -> None:
    """Strings are as good as paths."""
    for name in names:
        value = getattr(request, name)
        if value is not None:
            object.__setattr__(request, name, Path(value))


def _as_tuples(request: object, *names: str) -> None:
    """Lists are as good as tuples, and so is one value by itself."""
    for name in names:
        value = getattr(request, name)
        if value is not None:
            several = [value] if isinstance(value, str | Path) else value
            object.__setattr__(request, name, tuple(map(str, several)))


def _at_least(request: object, **bounds: float) -> None:
    for name, least in bounds.items():
        value = getattr(request, name)
        if value is not None and not value >= least:
            why = "; differences get an interval from 2 on" if name == "fresh_seeds" else ""
            raise UserError(f"{_flag(name)} must be at least {least}, got {value}{why}")


def _at_most(request: object, **bounds: int) -> None:
    for name, most in bounds.items():
        value = getattr(request, name)
        if value is not None and value > most:
            raise UserError(f"{_flag(name)} must be at most {most}, got {value}")


def whole_splits(splits: int, seeds: int, *, option: str = "--fresh-seeds") -> None:
    """Refuse splits that would have different numbers of seeds, or none.

    Args:
        splits: how many; 0 = the data's own alone.
        seeds: how many train on them in turn.
        option: with which the seeds were given.

    Raises:
        UserError: the seeds are no multiple of the splits.
    """
    if splits and seeds % splits:
        raise UserError(
            f"--split-seeds {splits} needs as many {option}, or a multiple, so that each split has the same "
            f"number, got {seeds}; give {option} {splits}"
        )


def _one_of(request: object, **choices: Any) -> None:
    for name, known in choices.items():
        value = getattr(request, name)
        if value is not None and value not in known:
            raise UserError(f"unknown {_flag(name)} '{value}'{suggest(str(value), known)}")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"

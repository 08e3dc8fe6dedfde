"""Re-tuned ablation: every arm gets a search of its own, with the study's trials, epochs, finalists and seeds.

An arm's search is a study in ``ablations/retuned/<arm>/search``. The full model's is the study itself. One search gives
an arm one configuration; with ``--searches K`` every arm, the full model too, is searched K times with samplers and
trials on seeds of their own (``ablations/searches/<k>/<arm>``), so that a claim is about arms, not two configurations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.data.modalities import only_modalities
from sea_core.errors import UserError
from sea_core.interrupts import StopRequest
from sea_core.plugins import training_plugins
from sea_core.run_folder import RECORD, read_run_folder
from study.ablation.arms import Arm
from study.ablation.plan import TunedArm
from study.analysis.search_costs import full_runs
from study.planning.requests import FINALIST_SEEDS
from study.planning.session import driving
from study.planning.study_plan import StudyPlan, first_trials
from study.records.arm_names import FULL
from study.records.folder import StudyFolder
from study.records.seeds import search_seed
from study.records.spec import check_spec
from study.records.study import Study, load_study
from study.running.events import Emit, Note
from study.running.resources import Resources
from study.searching.cost import Cost
from study.searching.methods import GRID
from study.searching.promotion import Promotion
from study.searching.space import Space, as_plain, load_space, parse_space, space_of_model
from study.searching.unread import unread_parameters

MODE = "retuned"


class RetunedArm(NamedTuple):
    """An arm and one of its searches; ``search`` is None for the full model's first, which is the study's own."""

    arm: Arm
    search: StudyPlan | None
    number: int = 1


class TunedSearch(NamedTuple):
    """The arms with what their ``number``-th searches chose."""

    number: int
    arms: list[TunedArm]


def plan_retuning(
    study: Study, arms: Sequence[Arm], dataset: Dataset, *, searches: int = 1, skip_inapplicable: bool = False
) -> tuple[list[RetunedArm], list[tuple[Arm, str]]]:
    """Work out every arm's searches; nothing is written.

    Args:
        study: finished, with a winner.
        arms: with ``full`` among them.
        dataset: the study's.
        searches: independent searches of each arm, the full model's first being the study itself.
        skip_inapplicable: list arms that cannot be applied instead of raising.

    Returns:
        The arms to tune, in the order in which they are searched, and those left out with the reason.

    Raises:
        UserError: an arm does not apply, leaves nothing to search, or was searched with other settings.
    """
    planned: list[RetunedArm] = []
    skipped: dict[str, tuple[Arm, str]] = {}
    first = sorted(arms, key=lambda arm: arm.name != FULL)  # the others are told what the full model's search chose
    for number in range(1, searches + 1):
        for arm in first if number > 1 else arms:
            if arm.name in skipped:
                continue
            try:
                own = number == 1 and arm.name == FULL
                planned.append(RetunedArm(arm, None if own else _plan_search(study, arm, dataset, number), number))
            except UserError as error:
                if not skip_inapplicable:
                    raise
                skipped[arm.name] = (arm, str(error))
    return planned, list(skipped.values())


def run_retuning(
    study: Study, planned: Sequence[RetunedArm], resources: Resources, *, emit: Emit, stop: StopRequest
) -> list[TunedSearch]:
    """Search every arm and select its winner, as the study did; searches that are finished are not repeated.

    Returns:
        For each number of a search the arms with their winners' configs.

    Raises:
        Stopped: the user asked to stop; the same call goes on.
    """
    tuned: dict[int, list[TunedArm]] = {}
    for arm, search, number in planned:
        if search is None:
            tuned.setdefault(number, []).append(TunedArm(arm, study.winner[0].config, study.folder))
            continue
        if number > 1 and arm.name != FULL and not search.exists:
            search = _told_by_full(study, search, number)
        which = f"search {number}" if number > 1 else "a search of its own"
        emit(Note(f"arm {arm.name}: {which} in {search.folder.root}"))
        with driving(search, resources, emit=emit, stop=stop) as run:
            run.search()
            winner = run.finalize(baselines=False)
            run.write_results()
        tuned.setdefault(number, []).append(TunedArm(arm, winner.config, search.folder))
        _set_aside_former(study.folder.searched(arm.name, number, 0).parent, winner.config)
    return [TunedSearch(number, arms) for number, arms in tuned.items()]


def searched_parameters(space: Space, arm: Arm, config: Config) -> Space:
    """The study's space without what the arm fixes and what nothing reads once the arm has removed its reader.

    Searching a dead parameter would spend the arm's trials on copies of one config.
    """
    dead = {*arm.changes, *unread_parameters(config)}
    return {name: distribution for name, distribution in space.items() if name not in dead}


def _plan_search(study: Study, arm: Arm, dataset: Dataset, number: int) -> StudyPlan:
    spec, selection, source = study.spec, study.selection, str(study.folder.identity)
    if spec is None or selection is None:
        raise UserError(f"{study.folder.root} has no search with a winner to repeat; finalise the study first")
    full = Config.from_record(spec.config, source=source)
    base = arm.apply(full, only_modalities(dataset, full).modalities)
    another = base.model != full.model  # which has parameters of its own
    whole = load_space(space_of_model(base.model)) if another else parse_space(spec.space, source=source)
    space = searched_parameters(whole, arm, base)
    if not space:
        raise UserError(f"arm '{arm.name}' leaves no parameter of {source} to search; compare it with --mode frozen")
    final_epochs = study.winner[0].config.epochs if study.winner else base.epochs
    folder = StudyFolder(study.folder.arm_search(arm.name, number))
    data = only_modalities(dataset, base)
    # What the study's search was told to try first, the arm's is told too, as far as the arm has these parameters; then
    # what the study found. A further search is told what the full model's of the same number found, once that is known.
    at_winner = [trial.params for trial in study.trials if trial.number == selection.winner]
    told = [*(spec.first or spec.warm_start), *(at_winner if number == 1 else [])]
    seed, cost = search_seed(spec.seed, number), _same_cost(study)
    first = first_trials(base, space, [], []) if another else _told(told, space)
    if spec.sampler == GRID:
        first = []
    wanted = replace(
        spec,
        study=folder.name,
        dataset=data.name,
        seed=seed,
        source=data.source,
        data_hash=data.data_hash,
        metric=base.valid_metric,
        space=as_plain(space),
        config=base.as_dict(),
        plugins=training_plugins(),
        final_epochs=final_epochs,
        first=first,
        warm_start=_told(spec.warm_start, space),
    )
    return StudyPlan(
        folder=folder,
        dataset=data,
        base=base,
        final_epochs=final_epochs,
        space=space,
        sampler=spec.sampler,
        pruner=spec.pruner,
        seed=seed,
        trials=None if spec.sampler == GRID or cost is not None else len(study.trials),
        budget=cost,
        timeout=None,
        storage=f"sqlite:///{folder.database.resolve()}",
        first=first,
        finalists=max(1, len(selection.finalists)),
        fresh_seeds=len(selection.seeds),
        finalist_seeds=selection.competed_on or FINALIST_SEEDS,
        promotion=None if spec.promotion is None else Promotion.from_mapping(spec.promotion),
        spec=wanted,
        exists=check_spec(folder, wanted),
        seeds_per_trial=spec.seeds_per_trial,
        final_seed=spec.seed,
    )


def _same_cost(study: Study) -> Cost | None:
    """What the study's search cost, in full runs, where its trials pause; else its number of trials is repeated."""
    if study.spec is None or study.spec.promotion is None or study.spec.sampler == GRID:
        return None
    runs = full_runs(study.trials)
    return None if runs is None else Cost(max(1.0, round(runs, 1)), "runs")


def _told_by_full(study: Study, search: StudyPlan, number: int) -> StudyPlan:
    """A further search that is yet to begin, with what the full model's of this number chose among its first trials."""
    full = load_study(study.folder.arm_search(FULL, number))
    if full.selection is None or search.sampler == GRID or search.base.model != full.model:
        return search
    at_winner = [trial.params for trial in full.trials if trial.number == full.selection.winner]
    first = _told([*search.first, *at_winner], search.space)
    return replace(search, first=first, spec=replace(search.spec, first=first))


def _told(trials: Sequence[Mapping[str, Any]], space: Space) -> list[dict[str, Any]]:
    """Parameters of trials as far as the arm has them, equal ones once."""
    told: list[dict[str, Any]] = []
    for trial in trials:
        each = {name: trial[name] for name in space if name in trial}
        if each and each not in told:
            told.append(each)
    return told


def _set_aside_former(folder: Path, config: Config) -> None:
    """Move an arm's runs of an earlier winner to ``former/<config hash>`` beside them, where their receipts remain."""
    for run in sorted(folder.glob(f"seed-*/{RECORD}")):
        recorded = read_run_folder(run.parent)
        if recorded.config != config:
            former = str(recorded.record["config_hash"])
            target = folder / "former" / former / run.parent.name
            target.parent.mkdir(parents=True, exist_ok=True)
            run.parent.rename(target)

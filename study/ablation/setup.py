"""From what a user asked for to the plan of an ablation: on its own, or in the folder of a finished study."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

from sea_core.cache import temporary_cache
from sea_core.config import Config
from sea_core.config_files import build_config
from sea_core.data.catalogue import load_dataset, with_other_splits
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError, suggest
from sea_core.run_folder import RECORD, read_run_folder
from sea_core.streams import fresh_seeds
from study.ablation.arms import Arm, load_arms, load_suite
from study.ablation.placebo import plan_placebos
from study.ablation.plan import Plan, plan_ablation
from study.ablation.retune import RetunedArm, plan_retuning
from study.analysis.stats.extra_reference import LEAST_EXTRA, seeds_for_the_reference
from study.analysis.stats.sequential import planned_looks
from study.planning.estimate import Probe, estimate, measure, missing_runs, planned_runs
from study.planning.power_preview import power_line
from study.planning.requests import AUTO, SEEDS_AT_MOST, AblationRequest, SearchRequest, suits_splits
from study.planning.study_plan import StudyPlan
from study.records.arm_names import FULL
from study.records.durations import duration
from study.records.folder import StudyFolder, name_for, refuse_shared, study_folder
from study.records.question import Question, assumed_question, read_question
from study.records.seeds import finalist_seeds, split_seeds_of
from study.records.study import Study, load_study
from study.running.resources import Resources

DEFAULT_SEEDS = 10
MOST_SEEDS = 40  # of a design that looks until it is decided
FEW_SEEDS = 5  # fewer leave intervals several times as wide


class Ablation(NamedTuple):
    """An ablation on one dataset, ready to run.

    Attributes:
        config: the full model's.
        frozen: runs with that config; None if only re-tuned arms were asked for.
        study: whose winner is ablated; None for a config of the user's.
        retuned: arms that get a search of their own.
        skipped: arms that do not apply here, with the reason.
        question: what is asked of the arms; it is written down before the first of them runs.
        asked: whether the user said so, or these are the defaults.
        arms: those that were asked for, with ``full``.
        placebos: copies of the full model, or no run.
    """

    folder: StudyFolder
    dataset: Dataset
    config: Config
    seeds: list[int]
    frozen: Plan | None
    study: Study | None
    retuned: list[RetunedArm]
    skipped: list[tuple[Arm, str]]
    question: Question
    asked: bool
    arms: list[Arm]
    placebos: Plan

    def plan_frozen(self, arms: Sequence[Arm], seeds: Sequence[int]) -> Plan:
        """The runs of some arms, with the full model's config, on some seeds."""
        return plan_ablation(arms, self.config, self.dataset, seeds=seeds, folder=self.folder, skip_inapplicable=True)


def plan_ablations(requests: Sequence[AblationRequest]) -> list[Ablation]:
    """One ablation per request, in their order.

    Raises:
        UserError: as ``plan_one``, or two of them would share a folder.
    """
    ablations = [plan_one(request) for request in requests]
    refuse_shared([ablation.folder for ablation in ablations], "ablations")
    return ablations


def plan_one(request: AblationRequest) -> Ablation:
    """The ablation of a config, or of a study's winner with the study's own seeds and folder. Nothing is written.

    Raises:
        UserError: faulty data or names, an arm that does not apply, a folder with other runs; or the study has no
            winner, or its data are not those found now.
    """
    request.resources.check()
    return _of_dataset(request) if request.from_study is None else _of_study(request, request.from_study)


def _of_dataset(request: AblationRequest) -> Ablation:
    own = {"model": request.model, "epochs": request.epochs, "metrics": request.metrics}
    config = build_config(request.preset, request.config, request.settings, own)
    data = load_dataset(
        request.dataset or SearchRequest.dataset,
        data_root=request.data_root,
        modalities=config.modalities,
        feature_transform=config.feature_transform,
    )
    folder = study_folder(request.out, name_for(request.study_name, data.name))
    if folder.identity.exists():  # its winner would stand in one table with arms of another config
        raise UserError(
            f"{folder.root} holds a search; ablate its winner with --from-study {folder.name}, or choose another "
            "--study-name"
        )
    if request.split_seeds:
        data = _on_splits(data, request.seed, request.split_seeds)
    return _plan(folder, data, config, request, seed=request.seed, seeds=DEFAULT_SEEDS)


def _of_study(request: AblationRequest, name: str) -> Ablation:
    study, data = open_study(name, request.out, dataset=request.dataset, data_root=request.data_root)
    splits = 0 if study.spec is None else study.spec.split_seeds
    try:
        suits_splits(request, splits)
    except UserError as error:
        raise UserError(f"{error} ({study.folder.root} was made with --split-seeds {splits})") from None
    seeds = max(DEFAULT_SEEDS, len(study.winner))
    seeds += -seeds % max(1, splits)  # each split has the same number
    config = study.winner[0].config
    return _plan(study.folder, data, config, request, seed=study.seed, seeds=seeds, study=study)


def open_study(name: str, out: Path, *, dataset: str | None, data_root: Path) -> tuple[Study, Dataset]:
    """A study with a winner, and its data with a split for every fresh seed.

    Args:
        name: of a study in ``out``, or its folder.
        out: parent of study folders.
        dataset: where the data are now; None = where the study found them.
        data_root: where named dataset folders lie.

    Raises:
        UserError: no study there, or no winner; or its data are not those found now.
    """
    root = out / name if (out / name).is_dir() else Path(name)
    study = load_study(root)
    if not study.winner:
        raise UserError(
            f"{root} has no winner yet; run study/run_search.py again without --no-finalize, which selects one"
        )
    winner = study.winner[0]
    source = dataset or (study.spec.source if study.spec else None)
    if not source:
        raise UserError(f"{root} does not say which dataset it used; add -d DATASET")
    data = load_dataset(
        str(source),
        data_root=data_root,
        modalities=winner.config.modalities,
        feature_transform=winner.config.feature_transform,
    )
    if study.spec is not None and study.spec.split_seeds:
        data = _on_splits(data, study.seed, study.spec.split_seeds)
    if data.for_seed(winner.seed).data_hash != winner.data_hash:
        raise UserError(
            f"{source} is not the data of {root} (data_hash {data.data_hash} now, {winner.data_hash} there); "
            "name the right ones with -d and --data-root"
        )
    return study, data


def _on_splits(dataset: Dataset, seed: int, splits: int) -> Dataset:
    """The dataset with a split for every seed that an ablation may come to, in the order a study gives them out."""
    rivals, seeds = finalist_seeds(seed, SEEDS_AT_MOST), fresh_seeds(seed, SEEDS_AT_MOST)
    return with_other_splits(dataset, split_seeds_of(seed, splits, rivals, seeds))


def describe(ablation: Ablation, resources: Resources, *, probing: bool = False) -> list[str]:
    """What would be run, line by line: arms with what they change, seeds, what is there already, and the time.

    Args:
        ablation: planned.
        resources: where it would be run.
        probing: train two epochs there to know how long one takes; else finished runs may tell.
    """
    runs = [] if ablation.frozen is None else ablation.frozen.runs
    missing = [] if ablation.frozen is None else ablation.frozen.missing
    tuned = [search for _, search, _ in ablation.retuned if search is not None]
    total = len(runs) + sum(sum(planned_runs(search, (), finalize=True).values()) for search in tuned)
    left = len(missing) + sum(sum(_missing(search).values()) for search in tuned)
    resources = resources.settled(ablation.dataset)
    lines = [f"{ablation.dataset.name}: {total} runs in {ablation.folder.root}, {left} of them to train"]
    lines.append(f"  seeds {', '.join(map(str, ablation.seeds))}")
    lines += _question_lines(ablation.question)
    for arm in {planned.arm.name: planned.arm for planned in runs}.values():
        changes = ", ".join(f"{key}: {value}" for key, value in arm.changes.items()) or "the config as it is"
        count = sum(planned.arm.name == arm.name for planned in missing)
        planned = sum(each.arm.name == arm.name for each in runs)
        lines.append(f"  {arm.name:<20} {count} of {planned} to train   {changes}")
    for arm, search, number in ablation.retuned:
        if search is not None:
            which = "re-tuned" if number == 1 else f"search {number}"
            what = f"{search.expected_trials} trials over {', '.join(search.space)}"
            to_train = f"{sum(_missing(search).values())} runs to train"
            lines.append(f"  {arm.name:<20} {which}: {what}, {to_train}{', begun' if search.exists else ''}")
    if placebos := ablation.placebos.runs:
        missing_copies = f"{len(ablation.placebos.missing)} of {len(placebos)} to train"
        lines.append(f"  {'placebo':<20} {missing_copies}   {len({each.arm.name for each in placebos})} copies of full")
    lines += [f"  {arm.name:<20} left out: {reason}" for arm, reason in ablation.skipped]
    lines += [
        f"  {name:<20} ran here on {count} seed{'' if count == 1 else 's'} only; name it too (--arms {name} ...)"
        for name, count in _left_behind(ablation).items()
    ]
    lines.append(f"  {_expected_power(ablation)}")
    searches = [search for search in tuned if sum(_missing(search).values())]
    if missing or searches:
        expected = _expected_time(ablation, len(missing), searches, resources, probing=probing)
        lines.append(f"  time: {expected}")
    return lines


def _left_behind(ablation: Ablation) -> dict[str, int]:
    """Arms of earlier calls that this one does not extend to its seeds, with the seeds they have."""
    if ablation.frozen is None:
        return {}
    asked = {arm.name for arm in ablation.arms}
    seeds = Counter(path.parents[1].name for path in ablation.folder.root.glob(f"ablations/frozen/*/seed-*/{RECORD}"))
    return {name: count for name, count in sorted(seeds.items()) if name not in asked and count < len(ablation.seeds)}


def _missing(search: StudyPlan) -> dict[str, int]:
    """The runs that an arm's own search still has to train, by what they are for."""
    return missing_runs(search, planned_runs(search, (), finalize=True), ())


def _expected_power(ablation: Ablation) -> str:
    """What the planned seeds can find of a primary contrast."""
    users = len(np.unique(ablation.dataset.valid.user))  # those of the test split are as good as as many
    design = {"seeds": len(ablation.seeds), "users": users, "comparisons": max(1, len(ablation.question.contrasts))}
    return power_line(ablation.study or _earlier_runs(ablation.folder), **design)


def _earlier_runs(folder: StudyFolder) -> Study | None:
    """What this ablation has finished already."""
    return load_study(folder.root) if any(folder.root.glob(f"ablations/*/*/seed-*/{RECORD}")) else None


def _expected_time(
    ablation: Ablation, runs: int, searches: Sequence[StudyPlan], resources: Resources, *, probing: bool
) -> str:
    """Of the missing runs and searches, spread over the workers, as if every arm took as long as the full model."""
    patterns = ("final/winner/*", "ablations/*/*/seed-*")
    paths = [path.parent for pattern in patterns for path in ablation.folder.root.glob(f"{pattern}/{RECORD}")]
    records = [read_run_folder(path).record for path in paths]
    known = [record["seconds"] / record["epochs"] for record in records if record.get("seconds") and record["epochs"]]
    if known:
        probe, source = Probe(0.0, median(known)), "as finished runs here took"
    elif not probing:
        return "known after the first run; --dry-run measures it"
    else:
        with temporary_cache():  # a dry run leaves no trace
            probe = measure(
                ablation.config,
                ablation.dataset,
                seed=ablation.seeds[0],
                device=resources.device,
                threads=resources.threads_of_a_run,
            )
        source = "measured on full"
    longest = runs * (probe.setup + ablation.config.epochs * probe.epoch) / resources.slots
    tuning = sum(estimate(search, probe, _missing(search), workers=resources.slots).likely for search in searches)
    parts = [f"{runs} runs at most {duration(longest)}"] if runs else []
    arms = len({search.folder.root.parent.name for search in searches})
    what = f"{arms} arm{'' if arms == 1 else 's'}" + (f" in {len(searches)} searches" if arms < len(searches) else "")
    parts += [f"re-tuning {what} about {duration(tuning)}"] if searches else []
    return f"{', '.join(parts)} ({probe.epoch:.2f} s an epoch, {source}); early stopping makes it less"


def _plan(
    folder: StudyFolder,
    data: Dataset,
    config: Config,
    request: AblationRequest,
    *,
    seed: int,
    seeds: int,
    study: Study | None = None,
) -> Ablation:
    """The runs of a request on one dataset.

    More than six parameters: what both kinds of ablation have found before; nobody else calls this.
    """
    arms = load_arms(request.arms) if request.arms else load_suite(request.suite)
    question = _ask(request, folder, config, arms, seed=seed, seeds=seeds)
    planned = list(question.seeds[: question.looks[0]])
    lenient = not request.arms  # a suite is for any dataset; not all arms are
    frozen: Plan | None = None
    retuned: list[RetunedArm] = []
    skipped: list[tuple[Arm, str]] = []
    if request.mode in ("frozen", "both"):
        frozen = plan_ablation(arms, config, data, seeds=planned, folder=folder, skip_inapplicable=lenient)
        skipped += frozen.skipped
        if question.extra_seeds:
            alone = [arm for arm in arms if arm.name == FULL]
            more = plan_ablation(alone, config, data, seeds=question.extra_seeds, folder=folder)
            frozen = Plan([*frozen.runs, *more.runs], frozen.skipped)
    if request.mode in ("retuned", "both"):
        if study is None:
            raise UserError("--mode retuned repeats a study's search for every arm, so it needs --from-study NAME")
        retuned, left_out = plan_retuning(study, arms, data, searches=question.searches, skip_inapplicable=lenient)
        skipped += [each for each in left_out if each not in skipped]
    others = [arm for arm in arms if arm.name != FULL]
    left_out_all = lenient and len({arm.name for arm, _ in skipped}) == len(others)
    if others and left_out_all and not (request.placebo or 0):
        raise UserError(
            f"no arm of the suite {request.suite} applies to {config.model} on {data.name}: {skipped[0][1]}; "
            "name another suite, or arms (--list)"
        )
    placebos = plan_placebos(request.placebo, config, data, seeds=planned, seed=seed, folder=folder)
    asked = any(getattr(request, name) is not None for name in OF_THE_QUESTION)
    return Ablation(
        folder, data, config, planned, frozen, study, retuned, skipped, question, asked, list(arms), placebos
    )


OF_THE_QUESTION = ("primary", "contrasts", "margin", "fresh_seeds", "max_seeds", "searches", "extra_full")


def _ask(
    request: AblationRequest, folder: StudyFolder, config: Config, arms: Sequence[Arm], *, seed: int, seeds: int
) -> Question:
    """The question of a request; what it does not say is as it was asked before, else the default."""
    before = read_question(folder.question)
    names = tuple(arm.name for arm in arms if arm.name != FULL)
    if before is None:
        before = assumed_question(config.valid_metric, names, fresh_seeds(seed, seeds))
    if request.fresh_seeds is not None:
        auto = request.fresh_seeds == AUTO
        most = (request.max_seeds or MOST_SEEDS) if auto else int(request.fresh_seeds)
        before = replace(before, seeds=tuple(fresh_seeds(seed, most)), looks=planned_looks(most) if auto else (most,))
    contrasts = before.contrasts if request.contrasts is None else request.contrasts
    known = {*names, *before.arms}
    for name in contrasts:
        if name not in known:
            raise UserError(f"--contrasts names '{name}', which is no arm of this ablation{suggest(name, known)}")
    metric = request.primary or before.metric
    if metric not in (*config.metrics, config.valid_metric):
        raise UserError(f"--primary {metric} is not among the metrics of the runs{suggest(metric, config.metrics)}")
    margin = before.margin if request.margin is None else request.margin
    searches = before.searches if request.searches is None else request.searches
    if request.extra_full is not None or request.fresh_seeds is not None:
        before = replace(before, extra_seeds=_extra_seeds(request, before, len(names), seed=seed))
    return replace(before, metric=metric, contrasts=contrasts, margin=margin, searches=searches)


def _extra_seeds(request: AblationRequest, question: Question, arms: int, *, seed: int) -> tuple[int, ...]:
    """Seeds of the full model alone; the first that no arm has."""
    planned = len(question.seeds)
    if request.extra_full is None:
        count = len(question.extra_seeds) if len(question.looks) == 1 else 0
    elif len(question.looks) > 1:
        raise UserError("--extra-full belongs to a fixed number of seeds, and this ablation looks until it is decided")
    elif request.extra_full == AUTO:
        count = seeds_for_the_reference(planned, arms) - planned
        count = 0 if count < LEAST_EXTRA else count
    else:
        count = int(request.extra_full)
    return tuple(fresh_seeds(seed, planned + count)[planned:])


def _question_lines(question: Question) -> list[str]:
    """What is asked, and at which numbers of seeds is looked."""
    asked = f"  primary: {', '.join(question.contrasts) or 'no arm'} against full by {question.metric}, "
    lines = [f"{asked}margin {100 * question.margin:g} %"]
    if len(question.looks) > 1:
        lines.append(
            f"  looks at {', '.join(map(str, question.looks))} seeds, an arm that is decided trains no further"
        )
    if question.extra_seeds:
        lines.append(f"  full alone on {len(question.extra_seeds)} more seeds, which every contrast shares")
    if len(question.looks) == 1 and question.looks[0] < FEW_SEEDS:
        count = question.looks[0]
        lines.append(f"  warning: {count} seed{'' if count == 1 else 's'} decide little; --fresh-seeds 10, or auto")
    return lines

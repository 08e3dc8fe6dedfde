"""From a finished study to the plan of its ablation path, and what that will cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from statistics import median
from typing import NamedTuple

from sea_core.config import Config
from sea_core.data.modalities import only_modalities
from sea_core.errors import UserError
from sea_core.streams import fresh_seeds
from study.ablation.path import PathPlan, Values, known_values, walk, why_none
from study.ablation.setup import open_study
from study.planning.requests import CHOICE_SEEDS_AT_MOST, GREEDY, ONCE, PathRequest, whole_splits
from study.records.durations import duration
from study.records.path import read_path, short
from study.records.seeds import finalist_seeds
from study.records.study import Study

CHOICE_SEEDS = 3


class PathCost(NamedTuple):
    """Runs of a path.

    Attributes:
        candidates: that choose the order, at most.
        candidates_left: of them, those still to train, at most.
        steps: that test what was chosen, without those that stand elsewhere in the study.
        steps_left: of them, those still to train.
    """

    candidates: int
    candidates_left: int
    steps: int
    steps_left: int


def plan_path(request: PathRequest) -> PathPlan:
    """The path of a study's winner. Nothing is written.

    Seeds and the way of choosing that the request leaves open are those the path was begun with.

    Raises:
        UserError: the study has no winner or no search, or its data are not those found now.
    """
    request.resources.check()
    study, data = open_study(request.from_study, request.out, dataset=request.dataset, data_root=request.data_root)
    spec, end = study.spec, study.winner[0].config
    if spec is None or not spec.space:
        raise UserError(f"{study.folder.root} has no search, so no base configuration from which a path could lead")
    base = Config.from_record(spec.config, source=str(study.folder.identity))
    start = base.override(epochs=end.epochs)
    mine, theirs = start.as_dict(), end.as_dict()
    keys = [*spec.space, *(key for key in theirs if key not in spec.space)]
    before = read_path(study.folder)
    if before is not None and (before.start, before.end) != (start.hash(), end.hash()):
        before = None  # of another winner
    choice = request.choice_seeds or (len(before.choice_seeds) if before else CHOICE_SEEDS)
    seeds = request.seeds or (len(before.seeds) if before else _seeds_of_arms(study))
    took = [run.seconds for run in (*study.winner, *study.default) if run.seconds]
    whole_splits(spec.split_seeds, seeds, option="--seeds")
    return PathPlan(
        folder=study.folder,
        dataset=only_modalities(data, end),
        start=start,
        end=end,
        keys=tuple(key for key in keys if mine.get(key) != theirs.get(key)),
        choose=request.choose or (before.choose if before else GREEDY),
        # Asked for as many as there may be, so that none of them can be among those the steps are tested on.
        choice_seeds=tuple(finalist_seeds(study.seed, CHOICE_SEEDS_AT_MOST)[:choice]),
        seeds=tuple(fresh_seeds(study.seed, seeds)),
        run_seconds=median(took) if took else None,
    )


def cost_of(plan: PathPlan) -> PathCost:
    """How many runs the path takes, as far as its records say which way it goes."""
    configs, left, lacking = [plan.start], len(plan.read_keys), 0
    try:
        for _, config in walk(plan, partial(_known, plan)):
            configs.append(config)
            left -= 1
    except _MissingError as missing:
        later = 0 if plan.choose == ONCE else _choice_runs(plan, left - 1)
        lacking = missing.runs + later
    steps = plan.step_runs(configs if left == 0 else [*configs, plan.end])
    unknown = max(0, left - 1) * len(plan.seeds)  # configurations between those known and the winner
    untrained = sum(not run.is_done(plan.dataset) for run in steps)
    return PathCost(_choice_runs(plan, len(plan.read_keys)), lacking, len(steps) + unknown, untrained + unknown)


def describe_path(plan: PathPlan) -> list[str]:
    """What would be run, line by line, and how long that takes."""
    if not plan.read_keys:
        return [f"{plan.folder.name}: no path: {why_none(plan)}"]
    cost, count = cost_of(plan), len(plan.read_keys)
    lines = [f"{plan.folder.name}: from the base configuration to the winner, {count} parameters differ"]
    start, end = plan.start.as_dict(), plan.end.as_dict()
    lines += [f"  {key}: {short(start.get(key))} → {short(end.get(key))}" for key in plan.keys]
    if unread := [key for key in plan.keys if key not in plan.read_keys]:
        lines.append(f"  left out, as nothing reads it at either end: {', '.join(unread)}")
    lines.append(
        f"  choosing the order ({plan.choose}, {len(plan.choice_seeds)} seeds, validation): at most {cost.candidates} "
        f"runs, {cost.candidates_left} of them to train"
    )
    lines.append(
        f"  testing the steps on {len(plan.seeds)} other seeds: {cost.steps} runs beside those of winner, default and "
        f"arms, {cost.steps_left} of them to train"
    )
    return [*lines, *_time(plan, cost)]


def _time(plan: PathPlan, cost: PathCost) -> list[str]:
    left, each = cost.candidates_left + cost.steps_left, plan.run_seconds
    if each is None or not left:
        return []
    line = f"  time: about {duration(left * each)}, one run after the other ({each:.1f} s a run, as the winner's took)"
    cheaper = cost_of(replace(plan, choose=ONCE))
    fewer = cheaper.candidates_left + cheaper.steps_left
    if plan.choose != ONCE and fewer < left:
        line += f"; --choose once: {fewer} runs in place of {left}, about {duration(fewer * each)}"
    return [line]


class _MissingError(Exception):
    """A comparison lacks some runs."""

    def __init__(self, runs: int) -> None:
        super().__init__(f"{runs} runs are missing")
        self.runs = runs


def _known(plan: PathPlan, configs: Mapping[str, Config], seeds: Sequence[int]) -> Values:
    """What finished candidates are worth; nothing is trained."""
    values = known_values(plan, configs, seeds)
    if values is None:
        every = plan.candidate_runs(configs, plan.choice_seeds)
        raise _MissingError(sum(not run.is_done(plan.dataset) for run in every))
    return values


def _choice_runs(plan: PathPlan, left: int) -> int:
    """Runs that choose among ``left`` changes and all later ones; the last change of all needs none."""
    if left < 2:
        return 0
    configs = left if plan.choose == ONCE else left * (left + 1) // 2 - 1
    return configs * len(plan.choice_seeds)


def _seeds_of_arms(study: Study) -> int:
    """As many as the study's arms have, so that both stand on the same seeds; else as many as its winner."""
    return max(len(study.winner), len({run.seed for run in study.runs(mode="frozen")}))

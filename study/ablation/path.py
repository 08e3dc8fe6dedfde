"""The ablation path: from the base configuration to the winner, one hyper-parameter at a time.

Source: Fawcett and Hoos (2016), "Analysing differences between algorithm configurations through ablation". Each step
takes, of the changes that are left, the one with the highest mean on validation. The order is chosen on seeds of its
own. The steps are then trained and tested on the seeds of winner and arms, so that no reported number was chosen on.
"""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.interrupts import StopRequest
from sea_core.run_folder import TEST, read_run_folder
from study.analysis.stats.paired import paired_difference
from study.planning.requests import ONCE, RACE
from study.records.arm_names import FULL
from study.records.folder import StudyFolder
from study.records.path import AblationPath, PathStep, read_path, write_path
from study.records.provenance import write_provenance
from study.records.run import Run
from study.running.driver import RunSource, drive
from study.running.events import Emit, Note, StageBegun
from study.running.executors.make import make_executor
from study.running.fixed_runs import FixedRuns
from study.running.held_study import held_study
from study.running.resources import Resources
from study.searching.unread import unread_parameters

FIRST_OF_RACE = 3  # seeds before a candidate may fall out: two have no interval to speak of

Values = Mapping[str, Sequence[float | None]]  # candidate -> value a seed; None where it failed
Measure = Callable[[Mapping[str, Config], Sequence[int]], Values]
Train = Callable[[RunSource], None]


@dataclass(frozen=True, kw_only=True)
class PathPlan:
    """A path that can be walked.

    Attributes:
        folder: of the study.
        dataset: with the modalities of both ends, and a split for every seed.
        start, end: the base configuration and the winner, with the same cap of epochs.
        keys: parameters in which they differ, in the order of the search space.
        choose: how each next change is chosen.
        choice_seeds: on which candidates are compared, on validation.
        seeds: on which the steps are tested.
        run_seconds: median over the runs of winner and default; None where no record has it.
    """

    folder: StudyFolder
    dataset: Dataset
    start: Config
    end: Config
    keys: tuple[str, ...]
    choose: str
    choice_seeds: tuple[int, ...]
    seeds: tuple[int, ...]
    run_seconds: float | None = None

    @property
    def read_keys(self) -> list[str]:
        """Those of ``keys`` that matter at one end at least."""
        dead = unread_parameters(self.start) & unread_parameters(self.end)
        return [key for key in self.keys if key not in dead]

    def candidate_runs(self, configs: Mapping[str, Config], seeds: Sequence[int]) -> list[Run]:
        """The runs that compare configurations on validation; the test split stays closed."""
        return [
            Run(
                config,
                seed,
                self.folder.path_run("candidates", config.hash(), seed),
                "candidate",
                f"changing {key}, seed {seed}",
                {"on_path": "candidate"},
            )
            for seed in seeds
            for key, config in configs.items()
        ]

    def step_runs(self, configs: Sequence[Config]) -> list[Run]:
        """The runs that test configurations, without those that stand elsewhere in the study."""
        return [
            Run(config, seed, self.folder.path_run("steps", config.hash(), seed), "step", label, {"on_path": "step"})
            for number, config in enumerate(configs)
            for seed in self.seeds
            if not self._is_tested(config, seed, label := f"path, configuration {number}, seed {seed}")
        ]

    def _is_tested(self, config: Config, seed: int, label: str) -> bool:
        folder = self.folder
        for place in (folder.default(seed), folder.winner(seed), folder.ablation("frozen", FULL, seed)):
            same = Run(config, seed, place, "winner", label)
            if (place / TEST).exists() and same.is_done(self.dataset):
                return True
        return False


def walk(plan: PathPlan, measure: Measure) -> Iterator[tuple[PathStep, Config]]:
    """Each step and the configuration that it leads to.

    A parameter that nothing reads before the step and nothing reads in the winner is changed along: that trains the
    same bits. One that nothing reads yet, but will, waits for the change that makes it count.

    Args:
        plan: the two ends.
        measure: trains configurations on seeds and returns their validation values.
    """
    current, left = plan.start, {key: getattr(plan.end, key) for key in plan.keys}
    current = _change_unread(current, plan.end, left)
    ranked: list[str] = []
    while left:
        read = [key for key in left if key not in unread_parameters(current)]
        options = {key: current.override(**{key: left[key]}) for key in read}
        values: Values = {}
        if plan.choose == ONCE and ranked:
            chosen = min(options, key=lambda key: (ranked.index(key) if key in ranked else len(ranked), key))
        else:
            values = _compare(plan, options, measure) if len(options) > 1 else {}
            ranked = rank(values) if values else list(options)
            chosen = ranked[0]
        before, after = getattr(current, chosen), left.pop(chosen)
        current = _change_unread(options[chosen], plan.end, left)
        step = PathStep(key=chosen, before=before, after=after, config_hash=current.hash(), values=values)
        yield step, current


def rank(values: Values) -> list[str]:
    """Candidates, best first: by the number of seeds that they finished, then by their mean; ties as they came."""
    finished = {key: [each for each in mine if each is not None] for key, mine in values.items()}
    return sorted(finished, key=lambda key: (-len(finished[key]), -statistics.fmean(finished[key] or [0.0])))


def run_path(
    plan: PathPlan,
    resources: Resources,
    *,
    emit: Emit,
    stop: StopRequest,
    conclude: Callable[[], None] = lambda: None,
) -> AblationPath:
    """Choose the order, write it down, then train and test the steps; the same call goes on where it was stopped.

    Args:
        plan: from ``plan_path``.
        resources: to train with.
        emit: told of everything.
        stop: asked for between epochs.
        conclude: called when all runs are done, before listeners hear that the study has ended.

    Raises:
        UserError: nothing differs, the folder cannot be written, or another process drives this study.
        Stopped: the user asked to stop.
    """
    folder, dataset = plan.folder, plan.dataset
    if not plan.read_keys:
        raise UserError(f"there is no path in {folder.root}: {why_none(plan)}")
    with held_study(folder, dataset.name, plan.start.as_dict(), emit=emit):
        write_provenance(folder, dataset)
        with contextlib.closing(make_executor(dataset, resources, emit=emit)) as executor:
            train = partial(drive, executor=executor, emit=emit, stop=stop)
            configs, steps = [plan.start], list[PathStep]()
            for step, config in walk(plan, partial(_train_candidates, plan, train, emit)):
                emit(Note(f"step {len(steps) + 1} of {len(plan.read_keys)} at most: {step.change}{_why(step)}"))
                configs.append(config)
                steps.append(step)
            path = chosen_path(plan, steps)
            write_path(folder, path)  # before the test split is opened
            _train_all(plan.step_runs(configs), "steps of the path, with test", dataset, train, emit)
        conclude()
    return path


def chosen_path(plan: PathPlan, steps: Sequence[PathStep]) -> AblationPath:
    """What is written down of the steps; it counts orders that were chosen anew after steps had been tested."""
    path = AblationPath(
        metric=plan.end.valid_metric,
        choose=plan.choose,
        choice_seeds=plan.choice_seeds,
        seeds=plan.seeds,
        start=plan.start.hash(),
        end=plan.end.hash(),
        steps=tuple(steps),
        unread=tuple(key for key in plan.keys if key not in {step.key for step in steps}),
    )
    before = read_path(plan.folder)
    if before is None or (before.start, before.end) != (path.start, path.end):
        return path
    tested = any(plan.folder.path.parent.glob(f"steps/*/*/{TEST}"))
    again = tested and [step.key for step in before.steps] != [step.key for step in steps]
    return replace(path, chosen_again=before.chosen_again + again)


def why_none(plan: PathPlan) -> str:
    """Why there is no way to go."""
    if not plan.keys:
        return "the winner is the base configuration"
    return f"winner and base configuration differ in what nothing reads ({', '.join(plan.keys)})"


def known_values(plan: PathPlan, configs: Mapping[str, Config], seeds: Sequence[int]) -> Values | None:
    """The validation values of candidates; None if one of their runs is missing."""
    if not all(run.is_done(plan.dataset) for run in plan.candidate_runs(configs, seeds)):
        return None
    return _values(plan, configs, seeds)


def _change_unread(config: Config, end: Config, left: dict[str, Any]) -> Config:
    """The config with every change that nothing reads; these are left no more."""
    dead = [key for key in left if key in unread_parameters(config) & unread_parameters(end)]
    return config.override(**{key: left.pop(key) for key in dead})


def _compare(plan: PathPlan, options: Mapping[str, Config], measure: Measure) -> Values:
    seeds = plan.choice_seeds
    if plan.choose != RACE:
        return measure(options, seeds)
    inside, values = dict(options), dict[str, Sequence[float | None]]()
    for count in range(min(FIRST_OF_RACE, len(seeds)), len(seeds) + 1):
        values |= measure(inside, seeds[:count])
        inside = {key: inside[key] for key in _in_the_race({key: values[key] for key in inside})}
        if len(inside) == 1:
            break
    return values


def _in_the_race(values: Values) -> list[str]:
    """Candidates that are not behind the leader by a paired t test at 5 %; one that failed on a seed is behind."""
    leader, *others = rank(values)
    return [leader, *(key for key in others if not _is_behind(values[key], values[leader]))]


def _is_behind(mine: Sequence[float | None], theirs: Sequence[float | None]) -> bool:
    if None in mine or None in theirs:
        return True
    return paired_difference(np.subtract(np.array(mine, float), np.array(theirs, float))).high < 0


def _train_candidates(
    plan: PathPlan, train: Train, emit: Emit, configs: Mapping[str, Config], seeds: Sequence[int]
) -> Values:
    title = f"{len(configs)} candidates on {len(seeds)} seeds, validation"
    _train_all(plan.candidate_runs(configs, seeds), title, plan.dataset, train, emit)
    return _values(plan, configs, seeds)


def _train_all(runs: Sequence[Run], title: str, dataset: Dataset, train: Train, emit: Emit) -> None:
    if runs:
        emit(StageBegun(title, total=len(runs), done=sum(run.is_done(dataset) for run in runs)))
        train(FixedRuns(runs, dataset=dataset, emit=emit))


def _values(plan: PathPlan, configs: Mapping[str, Config], seeds: Sequence[int]) -> Values:
    metric = plan.end.valid_metric
    records = {
        key: [read_run_folder(plan.folder.path_run("candidates", config.hash(), seed)).record for seed in seeds]
        for key, config in configs.items()
    }
    return {key: [(each.get("validation") or {}).get(metric) for each in mine] for key, mine in records.items()}


def _why(step: PathStep) -> str:
    """How far ahead of the next best candidate."""
    if len(step.values) < 2:
        return ", the only one left that counts here" if not step.values else ""
    first, second = rank(step.values)[:2]
    means = [statistics.fmean(v for v in step.values[key] if v is not None) for key in (first, second)]
    return f" (validation {means[0]:.4f}; next best {second}, {means[1]:.4f})"

"""What a search would do and cost, without writing anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sea_core.cache import temporary_cache
from study.planning.estimate import Estimate, Probe, Stage, estimate, measure, missing_runs, planned_runs, stages
from study.planning.power_preview import power_line
from study.planning.study_plan import StudyPlan
from study.records.arm_names import FULL
from study.records.durations import duration
from study.records.question import CONTRASTS
from study.records.study import load_study
from study.running.resources import Resources
from study.searching.cost import Cost
from study.searching.space import describe

_LONG = 3600.0  # seconds after which a shorter study is worth a word


def expected_power(plan: StudyPlan, arms: Sequence[str]) -> str:
    """What the ablation of the winner will be able to find; finalists of a study that exists serve as a pilot."""
    users = len(np.unique(plan.dataset.valid.user))
    study = load_study(plan.folder.root) if plan.folder.selection.exists() else None
    others = [arm for arm in arms if arm != FULL]
    primary = sum(arm in CONTRASTS for arm in others) or max(1, len(others))
    return power_line(study, seeds=plan.fresh_seeds, users=users, comparisons=primary)


def early_word(plan: StudyPlan, probe: Probe, arms: Sequence[str], *, finalize: bool, workers: int) -> list[str]:
    """What a study that begins now will take, and what takes less if that is long."""
    time = _time_of(plan, probe, arms, finalize=finalize, workers=workers)
    lines = [f"this takes about {duration(time.likely)} on this machine"]
    if time.likely < _LONG or plan.promotion is None or plan.budget is None or plan.budget.unit != "runs":
        return lines
    budget = Cost(max(2.0, min(5.0, plan.budget.amount / 2)), "runs")
    seeds = min(plan.fresh_seeds, 3)
    shorter = replace(plan, budget=budget, fresh_seeds=seeds, finalist_seeds=min(plan.finalist_seeds, seeds))
    less = _time_of(shorter, probe, arms, finalize=finalize, workers=workers)
    options = f"--budget {budget.amount:g}x" + (f" --fresh-seeds {seeds}" if finalize else "")
    return [f"{lines[0]}; {options} takes about {duration(less.likely)}"]


def _time_of(plan: StudyPlan, probe: Probe, arms: Sequence[str], *, finalize: bool, workers: int) -> Estimate:
    return estimate(plan, probe, planned_runs(plan, arms, finalize=finalize), workers=workers)


def _how_trials_end(plan: StudyPlan) -> list[str]:
    lines = []
    if plan.promotion is not None and plan.promotion.rungs:
        rungs, factor = " and ".join(map(str, plan.promotion.rungs)), plan.promotion.factor
        lines.append(f"  rungs: trials pause after {rungs} epochs; one in {factor} goes on, others may later")
    limits = [] if plan.trials is None else [f"{plan.trials} trials"]
    limits += [] if plan.budget is None else [str(plan.budget)]
    limits += [] if plan.timeout is None else [f"{duration(plan.timeout)} of time"]
    return [*lines, *([f"  the search ends after {' or '.join(limits)}"] if limits else [])]


def _table(parts: Sequence[Stage]) -> list[str]:
    width = max(len(part.what) for part in parts)
    return [
        f"{part.what:{width}}  about {part.epochs.likely:6.0f} epochs, {duration(part.time.likely)}" for part in parts
    ]


def show_plan(plan: StudyPlan, arms: Sequence[str], *, finalize: bool, resources: Resources) -> list[str]:
    """Lines that say what the study would run, where, and how long it would take."""
    resources = resources.settled(plan.dataset)
    with temporary_cache():  # a dry run leaves no trace
        threads = resources.threads_of_a_run
        probe = measure(plan.base, plan.dataset, seed=plan.seed, device=resources.device, threads=threads)
    counts = planned_runs(plan, arms, finalize=finalize)
    missing = missing_runs(plan, counts, arms)
    parts = stages(plan, probe, missing, workers=resources.slots)
    time = estimate(plan, probe, missing, workers=resources.slots)
    runs, left = sum(counts.values()), sum(missing.values())
    done = f", {left} of them still to train" if left < runs else ""
    caps = f"of at most {plan.base.epochs} epochs"
    if finalize and plan.final_epochs != plan.base.epochs:
        caps = f"trials {caps}, the others of at most {plan.final_epochs}"
    data = plan.dataset
    together = f", {resources.slots} at a time" if resources.slots > 1 else ""
    return [
        f"study {plan.folder.root}{' (exists: it would go on)' if plan.exists else ''}",
        f"  data: {data.name}, {data.users} users, {data.items} items, {len(data.train)} training interactions",
        f"  search: {plan.sampler} sampler, {plan.pruner} pruner, seed {plan.seed}, over",
        *(f"    {line}" for line in describe(plan.space)),
        *(f"    note: {note}" for note in plan.notes),
        *_how_trials_end(plan),
        f"  runs: {runs} in all{done}, {caps}",
        *(f"    {line}" for line in _table(parts)),
        f"  arms: {', '.join(arms) if finalize and arms else 'none'}",
        *([f"  {expected_power(plan, arms)}"] if finalize and len(arms) > 1 else []),
        f"  time: about {duration(time.likely)}, at most {duration(time.longest)} ({probe.epoch:.2f} s an epoch, "
        f"{probe.setup:.2f} s to set up a run, measured with the base config{together}); early stopping makes it less",
    ]

"""What a search would do and cost, without writing anything."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sea_core.cache import temporary_cache
from study.planning.estimate import estimate, measure, missing_runs, planned_runs
from study.planning.power_preview import power_line
from study.planning.study_plan import StudyPlan
from study.records.arm_names import FULL
from study.records.durations import duration
from study.records.question import CONTRASTS
from study.records.study import load_study
from study.running.resources import Resources
from study.searching.space import describe


def expected_power(plan: StudyPlan, arms: Sequence[str]) -> str:
    """What the ablation of the winner will be able to find; finalists of a study that exists serve as a pilot."""
    users = len(np.unique(plan.dataset.valid.user))
    study = load_study(plan.folder.root) if plan.folder.selection.exists() else None
    others = [arm for arm in arms if arm != FULL]
    primary = sum(arm in CONTRASTS for arm in others) or max(1, len(others))
    return power_line(study, seeds=plan.fresh_seeds, users=users, comparisons=primary)


def show_plan(plan: StudyPlan, arms: Sequence[str], *, finalize: bool, resources: Resources) -> list[str]:
    """Lines that say what the study would run, where, and how long it would take."""
    resources = resources.settled(plan.dataset)
    with temporary_cache():  # a dry run leaves no trace
        threads = resources.threads_of_a_run
        probe = measure(plan.base, plan.dataset, seed=plan.seed, device=resources.device, threads=threads)
    counts = planned_runs(plan, arms, finalize=finalize)
    missing = missing_runs(plan, counts, arms)
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
        f"  runs: {', '.join(counts)}; {runs} in all{done}, {caps}",
        f"  arms: {', '.join(arms) if finalize and arms else 'none'}",
        *([f"  {expected_power(plan, arms)}"] if finalize and len(arms) > 1 else []),
        f"  time: about {duration(time.likely)}, at most {duration(time.longest)} ({probe.epoch:.2f} s an epoch, "
        f"{probe.setup:.2f} s to set up a run, measured with the base config{together}); early stopping makes it less",
    ]

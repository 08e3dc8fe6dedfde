"""What a search would do and cost, without writing anything."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from sea_core.cache import temporary_cache
from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.training.run import TrainingRun
from study.progress import duration
from study.search_space import describe
from study.study_plan import StudyPlan


class Probe(NamedTuple):
    """Measured cost of a run, in seconds: building it, and one epoch."""

    setup: float
    epoch: float


def show_plan(plan: StudyPlan, arms: Sequence[str], *, finalize: bool, device: str) -> list[str]:
    """Lines that say what the study would run, where, and how long it would take at most."""
    probe = measure(plan.base, plan.dataset, seed=plan.seed, device=device)
    seeds = plan.seeds_per_trial
    shown = f"{plan.expected_trials} trials{f' x up to {seeds} seeds' if seeds > 1 else ''}"
    counts = {shown: plan.expected_trials * seeds}
    if finalize:
        competing = min(plan.finalists, plan.expected_trials)
        if competing > 1:
            counts[f"{competing} finalists x {plan.fresh_seeds} seeds"] = competing * plan.fresh_seeds
        counts[f"the winner x {plan.fresh_seeds} seeds"] = plan.fresh_seeds
        if len(arms) > 1:
            counts[f"{len(arms) - 1} other arms x {plan.fresh_seeds} seeds"] = (len(arms) - 1) * plan.fresh_seeds
    runs, epochs = sum(counts.values()), plan.base.epochs
    longest = runs * (probe.setup + epochs * probe.epoch)
    data = plan.dataset
    return [
        f"study {plan.folder.root}{' (exists: it would go on)' if plan.exists else ''}",
        f"  data: {data.name}, {data.users} users, {data.items} items, {len(data.train)} training interactions",
        f"  search: {plan.sampler} sampler, {plan.pruner} pruner, seed {plan.seed}, over",
        *(f"    {line}" for line in describe(plan.space)),
        f"  runs: {', '.join(counts)}; {runs} in all, of at most {epochs} epochs",
        f"  arms: {', '.join(arms) if finalize and arms else 'none'}",
        f"  time: at most {duration(longest)} ({probe.epoch:.2f} s an epoch, {probe.setup:.2f} s to set up a run, "
        "measured with the base config); pruning and early stopping make it less",
    ]


def measure(config: Config, dataset: Dataset, *, seed: int, device: str) -> Probe:
    """Train two epochs; the second is timed, because the first may compile."""
    with temporary_cache():  # a dry run leaves no trace
        began = time.perf_counter()
        run = TrainingRun(config.override(epochs=max(2, config.epochs)), dataset, seed=seed, device=device)
        setup = time.perf_counter() - began
        run.advance()
        return Probe(setup, run.advance().seconds)

"""How long a study will take, from a short probe; kept with the study, so that in the end it can be held against it."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.files import write_json
from sea_core.run_folder import RECORD
from sea_core.training.run import TrainingRun
from study.planning.study_plan import TYPICAL_EPOCHS, StudyPlan
from study.records.arm_names import FULL
from study.records.folder import StudyFolder
from study.running.resources import Resources

SCHEMA_VERSION = 1
_STARTUP_TRIALS = 5  # that the median pruner lets run to their end


class Probe(NamedTuple):
    """Measured cost of a run, in seconds: building it, and one epoch."""

    setup: float
    epoch: float


class Estimate(NamedTuple):
    """Wall seconds of a study: what is likely, and the most it can be if nothing fails or is interrupted.

    Likely is with what the pruner saves as a rule, and with runs that stop early after the epochs that are typical; how
    long a run really learns cannot be foreseen. Tables and figures are left out.
    """

    likely: float
    longest: float


class Stage(NamedTuple):
    """A part of a study: what it trains, how many runs, their epochs and their time; what is likely, and the most."""

    what: str
    runs: int
    epochs: Estimate
    time: Estimate


def measure(config: Config, dataset: Dataset, *, seed: int, device: str, threads: int | None = None) -> Probe:
    """Build a run twice and train two epochs; each second time counts, because the first may compile or fill caches.

    Args:
        config, dataset, seed: of the run that is tried.
        device: where it trains.
        threads: processor threads that a run will have; None leaves torch's own choice.
    """
    with _threads(threads):
        long_enough = config.override(epochs=max(2, config.epochs))
        TrainingRun(long_enough, dataset, seed=seed, device=device)
        began = time.perf_counter()
        run = TrainingRun(long_enough, dataset, seed=seed, device=device)
        setup = time.perf_counter() - began
        run.advance()
        return Probe(setup, run.advance().seconds)


def planned_runs(plan: StudyPlan, arms: Sequence[str], *, finalize: bool) -> dict[str, int]:
    """What the study trains, with the number of runs: the search first, then the rest."""
    seeds = f" x up to {plan.seeds_per_trial} seeds" if plan.seeds_per_trial > 1 else ""
    counts = {f"{plan.expected_trials} trials{seeds}": plan.expected_trials * plan.seeds_per_trial}
    if finalize:
        competing = min(plan.finalists, plan.expected_trials)
        if competing > 1:
            # The base configuration competes too; as a rule it is not among the best trials.
            default = plan.default_is_a_trial and plan.expected_trials > plan.finalists
            who = f"{competing} finalists{' and the base configuration' if default else ''}"
            counts[f"{who} x {plan.finalist_seeds} seeds"] = (competing + default) * plan.finalist_seeds
        counts[f"the winner x {plan.fresh_seeds} seeds"] = plan.fresh_seeds
        if plan.controls:
            controls = min(plan.controls, max(0, plan.expected_trials - 1))
            counts[f"{controls} controls x {plan.fresh_seeds} seeds"] = controls * plan.fresh_seeds
        counts[f"the base configuration x {plan.fresh_seeds} seeds"] = plan.fresh_seeds
        if len(arms) > 1:
            counts[f"{len(arms) - 1} other arms x {plan.fresh_seeds} seeds"] = (len(arms) - 1) * plan.fresh_seeds
    return counts


def missing_runs(plan: StudyPlan, counts: Mapping[str, int], arms: Sequence[str]) -> dict[str, int]:
    """What of ``planned_runs`` is still to be trained; finished runs of an earlier call are not repeated.

    Which finalists compete is known after the search only: while trials are missing, all of them count as missing.
    """
    root = plan.folder.root
    trials = len(list(root.glob(f"trials/*/{RECORD}")))
    searching = trials < plan.expected_trials
    done = {
        "trial": min(trials, plan.expected_trials) * plan.seeds_per_trial,
        "finalist": 0 if searching else len(list(root.glob(f"final/finalists/*/seed-*/{RECORD}"))),
        "the winner": 0 if searching else len(list(root.glob(f"final/winner/seed-*/{RECORD}"))),
        "controls": 0 if searching else len(list(root.glob(f"final/controls/*/seed-*/{RECORD}"))),
        "the base": 0 if searching else len(list(root.glob(f"final/default/seed-*/{RECORD}"))),
        # The full model's runs are the winner's.
        "other arm": sum(len(list(root.glob(f"ablations/frozen/{arm}/seed-*/{RECORD}"))) for arm in arms if arm != FULL)
        * (not searching),
    }

    if not searching and _is_settled(plan):
        done |= dict.fromkeys(("finalist", "the base"), sum(counts.values()))

    def left(what: str, count: int) -> int:
        return max(0, count - next(number for word, number in done.items() if word in what))

    return {what: left(what, count) for what, count in counts.items()}


def _is_settled(plan: StudyPlan) -> bool:
    """Whether the winner of this search was selected among as many finalists, and nothing is left to train beside it.

    The base configuration has no runs beside a winner that it is itself, and may be one of the finalists anyway.
    """
    try:
        selection = json.loads(plan.folder.selection.read_text(encoding="utf-8"))
        alone = selection["winner"] == selection["default"]
        enough = len(selection["finalists"]) >= min(plan.finalists, plan.expected_trials)
        return bool(enough and selection["shrinkage"] is not None and (alone or selection["tuning"] is not None))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def estimate(plan: StudyPlan, probe: Probe, counts: Mapping[str, int], *, workers: int) -> Estimate:
    """The study's time, with its runs spread evenly over the workers."""
    times = [stage.time for stage in stages(plan, probe, counts, workers=workers)]
    return Estimate(sum(each.likely for each in times), sum(each.longest for each in times))


def stages(plan: StudyPlan, probe: Probe, counts: Mapping[str, int], *, workers: int) -> list[Stage]:
    """What ``counts`` says is trained, with its epochs and time.

    Args:
        plan: of the study.
        probe: what a run and an epoch cost.
        counts: runs by stage, the search first, as of ``planned_runs`` or ``missing_runs``.
        workers: runs at a time.
    """
    (search, searched), *final = counts.items()
    epochs = _search_epochs(plan, searched)
    builds = searched * (1.0 if plan.promotion is None else plan.promotion.starts)
    if plan.seeds_per_trial > 1:
        builds *= epochs.likely / max(1, searched * plan.typical_epochs)
    parts = [Stage(search, searched, epochs, _seconds(probe, builds, epochs, workers, longest_builds=searched))]
    if plan.budget is not None and plan.budget.unit == "seconds":
        capped = Estimate(*(min(each, plan.budget.amount) for each in parts[0].time))
        parts = [parts[0]._replace(time=capped)]
    typical = min(plan.final_epochs, TYPICAL_EPOCHS)
    for what, runs in final:
        epochs = Estimate(runs * typical, runs * plan.final_epochs)
        parts.append(Stage(what, runs, epochs, _seconds(probe, runs, epochs, workers, longest_builds=runs)))
    return parts


def _search_epochs(plan: StudyPlan, searched: int) -> Estimate:
    """Epochs of so many trials, with what promotion or a pruner saves."""
    longest = float(searched * plan.base.epochs)
    if plan.promotion is not None:
        # The first trial is run to its end.
        runs = min(searched, 1) + max(0, searched - 1) * plan.promotion.share(plan.typical_epochs)
        if plan.budget is not None and plan.budget.unit == "runs":
            longest = min(longest, plan.budget.amount * plan.base.epochs)
        return Estimate(runs * plan.typical_epochs, longest)
    share = expected_share(
        plan.pruner, trials=plan.expected_trials, epochs=plan.base.epochs, seeds=plan.seeds_per_trial
    )
    return Estimate(searched * share * plan.typical_epochs, longest)


def _seconds(probe: Probe, builds: float, epochs: Estimate, workers: int, *, longest_builds: float) -> Estimate:
    likely = builds * probe.setup + epochs.likely * probe.epoch
    longest = max(builds, longest_builds) * probe.setup + epochs.longest * probe.epoch
    return Estimate(likely / workers, longest / workers)


def expected_share(pruner: str, *, trials: int, epochs: int, seeds: int) -> float:
    """Which part of a search's epochs (or seeds) a pruner leaves, by its own rule, if trials come in no order.

    ``median`` and ``patient``: half of the trials after the first five end where it first looks. ``halving`` lets one
    in ``factor`` pass at each rung; ``hyperband`` is the mean over its brackets, which begin one rung later each.
    """
    most, least, factor = (seeds, 1, 2) if seeds > 1 else (epochs, max(1, epochs // 27), 3)
    if pruner in ("median", "patient"):
        looked_at = max(0, trials - _STARTUP_TRIALS) / trials
        first_look = 1 / seeds if seeds > 1 else max(1, epochs // 4) / epochs
        return 1 - looked_at * 0.5 * (1 - first_look)
    if pruner not in ("halving", "hyperband"):
        return 1.0
    rungs = [least]
    while rungs[-1] * factor < most:
        rungs.append(rungs[-1] * factor)
    brackets = rungs if pruner == "hyperband" else rungs[:1]
    return sum(_halving_share(rungs[start:], most, factor) for start in range(len(brackets))) / len(brackets)


def probe_of(plan: StudyPlan, resources: Resources) -> Probe | None:
    """The probe that the study was begun with, made now if it is just being begun; None where there is none.

    A probe must not stop a study: what goes wrong in it will go wrong in a trial, and be recorded there.
    """
    try:
        stored = json.loads(_path(plan.folder).read_text(encoding="utf-8"))
        return Probe(float(stored["setup_seconds"]), float(stored["epoch_seconds"]))
    except (OSError, ValueError, KeyError, TypeError):
        if plan.exists or resources.ray_address is not None:
            return None  # too late, or not where the runs will train
    try:
        threads = resources.settled(plan.dataset).threads_of_a_run
        probe = measure(plan.base, plan.dataset, seed=plan.seed, device=resources.device, threads=threads)
    except Exception:
        return None
    stored = {"schema_version": SCHEMA_VERSION, "setup_seconds": probe.setup, "epoch_seconds": probe.epoch}
    write_json(_path(plan.folder), stored)
    return probe


def _halving_share(rungs: Sequence[int], most: int, factor: int) -> float:
    ends = [*rungs, most]
    steps = [ends[0], *(after - before for before, after in itertools.pairwise(ends))]
    return sum(step / factor**passed for passed, step in enumerate(steps)) / most


def _path(folder: StudyFolder) -> Path:
    return folder.root / "estimate.json"


@contextmanager
def _threads(threads: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)

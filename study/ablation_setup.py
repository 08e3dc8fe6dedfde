"""From what a user asked for to the plan of an ablation: on its own, or in the folder of a finished study."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from sea_core.config import Config
from sea_core.data.catalogue import load_dataset
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.run_folder import RECORD, read_run_folder
from sea_core.streams import fresh_seeds
from study.ablation_plan import Plan, plan_ablation
from study.arms import Arm
from study.progress import duration
from study.records import load_study
from study.study_folder import StudyFolder, study_folder


class Ablation(NamedTuple):
    """An ablation on one dataset, ready to run."""

    folder: StudyFolder
    dataset: Dataset
    config: Config
    plan: Plan


class Choice(NamedTuple):
    """Which arms, on how many seeds; arms of a suite that do not apply to a dataset are left out and named."""

    arms: Sequence[Arm]
    seeds: int
    is_suite: bool


def ablation_of_dataset(
    dataset: str, config: Config, choice: Choice, *, seed: int, out: Path, name: str, data_root: Path
) -> Ablation:
    """An ablation with a config of the user's.

    Args:
        dataset: a name or path, as ``load_dataset`` takes it.
        config: the full model's.
        choice: arms and number of seeds.
        seed: the runs' seeds are derived from it, as a study derives those of its winner.
        out: parent of the folder.
        name: the folder's; ``{dataset}`` in it stands for the dataset's name.
        data_root: where named datasets lie.

    Raises:
        UserError: faulty data or names, an arm that does not apply, or a folder with other runs.
    """
    data = load_dataset(dataset, data_root=data_root, modalities=config.modalities)
    name = name.replace("{dataset}", re.sub("[^A-Za-z0-9._-]+", "-", data.name))
    return _plan(study_folder(out, name), data, config, choice, seed=seed)


def ablation_of_study(name: str, choice: Choice, *, out: Path, dataset: str | None, data_root: Path) -> Ablation:
    """An ablation of a study's winner, with the study's own seeds, in the study's folder.

    Args:
        name: of a study in ``out``, or the path of its folder.
        choice: arms and number of seeds.
        out: parent of study folders.
        dataset: a name or path; the study's own if None.
        data_root: where named datasets lie.

    Raises:
        UserError: as ``ablation_of_dataset``; or the study has no winner, or its data are not those found now.
    """
    root = out / name if (out / name).is_dir() else Path(name)
    study = load_study(root)
    if not study.winner:
        raise UserError(
            f"{root} has no winner yet, whose config the arms would share; run study/run_search.py again without "
            "--no-finalize, or give a config: -d DATASET --config FILE"
        )
    winner = study.winner[0]
    source = dataset or study.identity.get("source")
    if not source:
        raise UserError(f"{root} does not say which dataset it used; add -d DATASET")
    data = load_dataset(str(source), data_root=data_root, modalities=winner.config.modalities)
    if data.data_hash != winner.data_hash:
        raise UserError(
            f"{source} is not the data of {root} (data_hash {data.data_hash} now, {winner.data_hash} there); "
            "name the right ones with -d and --data-root"
        )
    return _plan(study.folder, data, winner.config, choice, seed=int(study.identity.get("seed", 999)))


def describe(ablation: Ablation) -> list[str]:
    """What would be run, line by line: arms with what they change, seeds, what is there already, and an estimate."""
    runs, missing = ablation.plan.runs, ablation.plan.missing
    seeds = dict.fromkeys(planned.run.seed for planned in runs)
    lines = [f"{ablation.dataset.name}: {len(runs)} runs in {ablation.folder.root}, {len(missing)} of them to train"]
    lines.append(f"  seeds {', '.join(map(str, seeds))}")
    for arm in {planned.arm.name: planned.arm for planned in runs}.values():
        changes = ", ".join(f"{key}: {value}" for key, value in arm.changes.items()) or "the config as it is"
        count = sum(planned.arm.name == arm.name for planned in missing)
        lines.append(f"  {arm.name:<20} {count} of {len(seeds)} to train   {changes}")
    lines += [f"  {arm.name:<20} left out: {reason}" for arm, reason in ablation.plan.skipped]
    if missing:
        seconds = estimate_seconds(ablation)
        lines.append("  time: known after the first run" if seconds is None else f"  time: about {duration(seconds)}")
    return lines


def estimate_seconds(ablation: Ablation) -> float | None:
    """Time that the missing runs may take, one after the other, from finished runs of this folder; None without any."""
    patterns = ("final/winner/*", "ablations/*/*/*")
    records = [path for pattern in patterns for path in ablation.folder.root.glob(f"{pattern}/{RECORD}")]
    seconds = [s for path in records if (s := read_run_folder(path.parent).record.get("seconds")) is not None]
    return median(seconds) * len(ablation.plan.missing) if seconds else None


def _plan(folder: StudyFolder, data: Dataset, config: Config, choice: Choice, *, seed: int) -> Ablation:
    if choice.seeds < 1:
        raise UserError(f"--seeds must be at least 1, got {choice.seeds}; differences get an interval from 2 on")
    seeds = fresh_seeds(seed, choice.seeds)
    plan = plan_ablation(choice.arms, config, data, seeds=seeds, folder=folder, skip_inapplicable=choice.is_suite)
    return Ablation(folder, data, config, plan)

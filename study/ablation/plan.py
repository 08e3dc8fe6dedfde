"""Which runs an ablation consists of, and which of them are there already. Nothing is trained or written here.

Every arm trains on the same seeds, so that differences are paired; a seed gives all arms the same batches and negatives
and, for the parts they share, the same initial weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.data.modalities import only_modalities
from sea_core.errors import UserError
from sea_core.models.registry import find_model
from sea_core.run_folder import RECORD, TEST, read_run_folder
from study.ablation.arms import Arm
from study.records.arm_names import FULL
from study.records.folder import StudyFolder
from study.records.run import Run

Mode = Literal["frozen", "retuned"]


class PlanRow(NamedTuple):
    """A run of an arm, and what is known of it before anything trains.

    Attributes:
        run: its config, seed and folder.
        dataset: with the modalities that the arm uses.
        done: its record is there: complete, or diverged, which it would do again.
        copy_of: folder of a search's winner on this seed, if that is this very run.
    """

    arm: Arm
    run: Run
    dataset: Dataset
    done: bool
    copy_of: Path | None


class TunedArm(NamedTuple):
    """An arm's config, and the study whose winner it is, or would be."""

    arm: Arm
    config: Config
    study: StudyFolder


class Plan(NamedTuple):
    """All runs in the order of arms and seeds, and the arms that do not apply here with the reason."""

    runs: list[PlanRow]
    skipped: list[tuple[Arm, str]]

    @property
    def missing(self) -> list[PlanRow]:
        """The runs that have to be trained."""
        return [run for run in self.runs if not run.done and run.copy_of is None]


def plan_ablation(
    arms: Sequence[Arm],
    config: Config,
    dataset: Dataset,
    *,
    seeds: Sequence[int],
    folder: StudyFolder,
    skip_inapplicable: bool = False,
) -> Plan:
    """Work out the runs of a frozen ablation: every arm with the full model's config.

    Args:
        arms: the arms to run.
        config: the full model's, to which each arm applies its changes.
        dataset: with every modality that ``config`` uses.
        seeds: the same for every arm.
        folder: the study that the runs belong to; runs of an earlier call are found there.
        skip_inapplicable: list arms that cannot be applied instead of raising, as a suite wants.

    Raises:
        UserError: an arm does not apply, or a run of another config, seed or data lies where one of these would go.
    """
    tuned: list[TunedArm] = []
    skipped: list[tuple[Arm, str]] = []
    for arm in arms:
        try:
            changed = arm.apply(config, only_modalities(dataset, config).modalities)
            only_modalities(dataset, changed)  # what depends on the features themselves shows here
            tuned.append(TunedArm(arm, changed, folder))
        except UserError as error:
            if not skip_inapplicable:
                raise
            skipped.append((arm, str(error)))
    return Plan(plan_runs(tuned, dataset, seeds=seeds, folder=folder, mode="frozen"), skipped)


def plan_runs(
    tuned: Sequence[TunedArm],
    dataset: Dataset,
    *,
    seeds: Sequence[int],
    folder: StudyFolder,
    mode: Mode,
    search: int = 1,
) -> list[PlanRow]:
    """The runs of arms whose configs are known; ``search`` is the number of the search that chose them.

    Raises:
        UserError: a run of another config, seed or data lies where one of these would go.
    """
    runs: list[PlanRow] = []
    for arm, config, study in tuned:
        used = only_modalities(dataset, config)
        own: dict[str, Any] = {"arm": arm.name, "arm_title": _title(arm, config), "mode": mode}
        own |= {"search": search} if search > 1 else {}
        for seed in seeds:
            again = f"{arm.name}, search {search}" if search > 1 else arm.name
            target = folder.searched(arm.name, search, seed) if search > 1 else folder.ablation(mode, arm.name, seed)
            label = f"{again}, seed {seed}"
            run = Run(config, seed, target, "arm", label, own)
            refuse_another(run, used)
            done = run.is_done(used)
            winner = Run(config, seed, study.winner(seed), "winner", label)
            same = not done and (winner.folder / TEST).exists() and winner.is_done(used)
            runs.append(PlanRow(arm, run, used, done, winner.folder if same else None))
    return runs


def refuse_another(run: Run, dataset: Dataset) -> None:
    """Never write over the record of a different run.

    Raises:
        UserError: one lies where this one would go.
    """
    if not (run.folder / RECORD).exists():
        return
    there = read_run_folder(run.folder)
    if differing := there.differences(run.config, seed=run.seed, data_hash=dataset.for_seed(run.seed).data_hash):
        raise UserError(
            f"{run.folder} holds another run ({'; '.join(differing)}); choose another "
            "--study-name, or delete that folder"
        )


def _title(arm: Arm, config: Config) -> str:
    """The arm's title; the full model's is that of what it is: ``VBPR + SEA (full)``."""
    if arm.name != FULL or config.model == Config.model:
        return arm.title
    return f"{find_model(config.model).title} ({FULL})"

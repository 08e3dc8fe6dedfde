"""Which runs an ablation consists of, and which of them are there already. Nothing is trained or written here.

Every arm trains on the same seeds, so that differences are paired; a seed gives all arms the same batches and negatives
and, for the parts they share, the same initial weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.run_folder import RECORD, TEST, read_run_folder
from study.arms import Arm
from study.study_folder import StudyFolder
from study.trial_worker import only_modalities

Mode = Literal["frozen", "retuned"]


class PlannedRun(NamedTuple):
    """One (arm, config, seed) and where it goes.

    Attributes:
        dataset: with the modalities that the arm uses.
        done: its record is there: complete, or diverged, which it would do again.
        copy_of: folder of the study's winner on this seed, if that is this very run.
    """

    arm: Arm
    config: Config
    seed: int
    mode: Mode
    folder: Path
    dataset: Dataset
    done: bool = False
    copy_of: Path | None = None


class Plan(NamedTuple):
    """All runs in the order of arms and seeds, and the arms that do not apply here with the reason."""

    runs: list[PlannedRun]
    skipped: list[tuple[Arm, str]]

    @property
    def missing(self) -> list[PlannedRun]:
        """The runs that have to be trained."""
        return [run for run in self.runs if not run.done and run.copy_of is None]


def plan_ablation(
    arms: Sequence[Arm],
    config: Config,
    dataset: Dataset,
    *,
    seeds: Sequence[int],
    folder: StudyFolder,
    mode: Mode = "frozen",
    skip_inapplicable: bool = False,
) -> Plan:
    """Work out every run.

    Args:
        arms: the arms to run.
        config: the full model's, to which each arm applies its changes.
        dataset: with every modality that ``config`` uses.
        seeds: the same for every arm.
        folder: the study that the runs belong to; runs of an earlier call are found there.
        mode: names the folder the runs go to.
        skip_inapplicable: list arms that cannot be applied instead of raising, as a suite wants.

    Raises:
        UserError: an arm does not apply, or a run of another config, seed or data lies where one of these would go.
    """
    runs: list[PlannedRun] = []
    skipped: list[tuple[Arm, str]] = []
    for arm in arms:
        try:
            changed = arm.apply(config, only_modalities(dataset, config).modalities)
        except UserError as error:
            if not skip_inapplicable:
                raise
            skipped.append((arm, str(error)))
            continue
        used = only_modalities(dataset, changed)
        planned = [PlannedRun(arm, changed, seed, mode, folder.ablation(mode, arm.name, seed), used) for seed in seeds]
        runs += [_look_up(run, winner=folder.winner(run.seed)) for run in planned]
    return Plan(runs, skipped)


def _look_up(run: PlannedRun, *, winner: Path) -> PlannedRun:
    """The run with what is known about it from disk."""
    if (run.folder / RECORD).exists():
        record = read_run_folder(run.folder).record
        _refuse_another(run, record)
        failure = (record.get("trial") or {}).get("failure")
        # Any other failure may have been an accident: the machine's, not the model's.
        return run._replace(done=failure is None or failure["kind"] == "diverged")
    if (winner / RECORD).exists() and (winner / TEST).exists():
        record = read_run_folder(winner).record
        same = all(record[key] == value for key, value in _identity(run).items())
        return run._replace(copy_of=winner if same else None)
    return run


def _identity(run: PlannedRun) -> dict[str, Any]:
    return {"config_hash": run.config.hash(), "seed": run.seed, "data_hash": run.dataset.data_hash}


def _refuse_another(run: PlannedRun, record: Mapping[str, Any]) -> None:
    for key, value in _identity(run).items():
        if record[key] == value:
            continue
        differences = f"{key}: {record[key]} there, {value} now"
        if key == "config_hash":
            there, now = record["config"], run.config.as_dict()
            changed = [name for name in now if there.get(name) != now[name]]
            differences = "; ".join(f"{name}: {there.get(name)} there, {now[name]} now" for name in changed)
        raise UserError(
            f"{run.folder} holds another run ({differences}); choose another --study-name, or delete that folder"
        )

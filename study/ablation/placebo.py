"""Copies of the full model on seeds of their own, run beside the arms: what a difference of nothing looks like."""

from __future__ import annotations

from collections.abc import Sequence

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.data.modalities import only_modalities
from study.ablation.arms import Arm
from study.ablation.plan import Plan, PlanRow, refuse_another
from study.records.folder import StudyFolder
from study.records.run import Run
from study.records.seeds import placebo_seeds


def plan_placebos(
    copies: int, config: Config, dataset: Dataset, *, seeds: Sequence[int], seed: int, folder: StudyFolder
) -> Plan:
    """The runs of some copies: as many seeds as the arms have, each standing for one of the full model's.

    Args:
        copies: how many.
        config: the full model's.
        dataset: with every modality that ``config`` uses.
        seeds: of the full model; the ``n``-th seed of a copy is compared with the ``n``-th of these.
        seed: of the study, from which the copies' seeds are derived.
        folder: of the study.

    Raises:
        UserError: another run lies where one of these would go.
    """
    used = only_modalities(dataset, config)
    runs: list[PlanRow] = []
    for copy in range(1, copies + 1):
        name = f"placebo-{copy}"
        arm = Arm(name, f"placebo {copy}", {}, "the full model again, on other seeds")
        for own, theirs in zip(placebo_seeds(seed, copy, len(seeds)), seeds, strict=True):
            extra = {"arm": name, "arm_title": arm.title, "mode": "placebo", "stands_for": theirs}
            run = Run(config, own, folder.placebo(name, own), "placebo", f"{name}, seed {own}", extra)
            refuse_another(run, used)
            runs.append(PlanRow(arm, run, used, run.is_done(used), None))
    return Plan(runs, [])

"""What an arm changes in the full model, read off the configs of its runs, whatever the arm is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from study.records.arm_names import FULL
from study.records.study import Study

Changes = Mapping[str, Any]


def changes_of_arms(study: Study) -> dict[str, Changes]:
    """Arm -> the config keys in which it differs from the full model; a re-tuned arm's tuned keys are not its own."""
    configs = {
        (run.mode, str(run.arm)): run.config.as_dict() for run in study.ablations if run.mode in ("frozen", "retuned")
    }
    space = study.space
    by_arm: dict[str, Changes] = {}
    for (mode, arm), config in sorted(configs.items()):  # frozen first
        full = configs.get((mode, FULL))
        if arm == FULL or full is None or arm in by_arm:
            continue
        tuned = space if mode == "retuned" else {}
        if config["model"] != full["model"]:  # whose keys are others
            by_arm[arm] = {"model": config["model"]}
            continue
        by_arm[arm] = {key: value for key, value in config.items() if value != full[key] and key not in tuned}
    return by_arm

"""The simplest methods, run beside every winner: a table without them says little."""

from __future__ import annotations

from collections.abc import Sequence

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.models.registry import find_model, model_names
from sea_core.run_folder import TEST, read_run_folder
from study.records.folder import StudyFolder
from study.records.run import Run


def baseline_runs(folder: StudyFolder, dataset: Dataset, *, base: Config, seed: int, seeds: Sequence[int]) -> list[Run]:
    """A run of every model that needs no training, evaluated as the study is and opened on the test split.

    Nothing in them depends on the seed. Where an earlier version left a baseline of these data, it is kept.

    Args:
        folder: of the study.
        dataset: the study's.
        base: says what is measured.
        seed: the study's, for the record.
        seeds: the winner's; where they train on several splits, every baseline has a run on each of these.
    """
    # A run's seed says which split it sees, so the first seed of each split stands for it.
    splits = {dataset.for_seed(each).split_seed: each for each in reversed(seeds)}
    runs = []
    for name in model_names():
        if not find_model(name).trains and not _was_there(folder, name, dataset, base):
            measured = {"valid_metric": base.valid_metric, "metrics": base.metrics}
            config = Config.from_mapping({"model": name, **measured})
            label, own, target = f"baseline {name}", {"baseline": name}, folder.baseline(name)
            if splits.keys() == {None}:
                runs.append(Run(config, seed, target, "baseline", label, own))
                continue
            for split, run_seed in splits.items():
                there, which = target / f"split-{split}", f"{label}, split {split}"
                runs.append(Run(config, run_seed, there, "baseline", which, own))
    return runs


def _was_there(folder: StudyFolder, name: str, dataset: Dataset, base: Config) -> bool:
    """Whether there is a record from before baselines were runs: one without a config."""
    target = folder.baseline(name)
    try:
        record = read_run_folder(target).record
    except UserError:
        return False
    whole = (target / TEST).exists() and all(f"recall@{k}" in record.get("validation", {}) for k in base.ks)
    return "config" not in record and record.get("data_hash") == dataset.data_hash and whole

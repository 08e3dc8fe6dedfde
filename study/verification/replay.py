"""Training a study's recorded run again, whoever asks: with its data, device and number of threads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch

from sea_core.data.catalogue import load_dataset
from sea_core.data.dataset import Dataset
from sea_core.device import check_device
from sea_core.errors import UserError
from sea_core.working import working
from study.records.durations import duration
from study.records.study import RunRecord, Study
from study.verification.verify import Divergence, stated, surroundings, verify


class Replayed(NamedTuple):
    """A run that was trained again; ``difference`` is None if it came out the same to the bit."""

    run: RunRecord
    difference: Divergence | None

    def __str__(self) -> str:
        if self.difference is not None:
            return f"{self.run.folder}: first difference at {self.difference}"
        return f"{self.run.folder}: reproduced to the bit, {self.run.record['epochs']} epochs and the final weights"


def find_run(study: Study, name: str) -> RunRecord:
    """A run by its trial's number, or by its folder inside the study.

    Raises:
        UserError: the study holds none of that name.
    """
    folder = study.folder.trial(int(name)) if name.isdecimal() else study.folder.root / name
    for record in every_run(study):
        if record.folder == folder.resolve():
            return record
    raise UserError(
        f"{study.folder.root} holds no run '{name}'; give a trial's number, or a folder like final/winner/seed-<n>"
    )


def every_run(study: Study) -> list[RunRecord]:
    """All runs that have a record, single seeds of trials among them."""
    return [*study.all_records(), *study.trial_seeds]


def data_of(study: Study, record: RunRecord, *, dataset: str | None, data_root: Path) -> Dataset:
    """The data that a run was trained on.

    Args:
        study: that holds the run.
        record: the run.
        dataset: a name or path; None = where the study found them.
        data_root: where named folders lie.

    Raises:
        UserError: they are not there, or lack a feature that the run uses.
    """
    source = dataset or (study.spec.source if study.spec else None) or record.dataset
    return load_dataset(
        source,
        data_root=data_root,
        modalities=record.config.modalities,
        feature_transform=record.config.feature_transform,
    )


def differences_of_place(record: RunRecord, device: str | None) -> list[str]:
    """What differs here from where the run was made, and so may change its last digits."""
    return surroundings(record, check_device(device or str(stated(record, "device"))))


def replay(study: Study, record: RunRecord, dataset: Dataset, *, device: str | None = None) -> Iterator[Replayed]:
    """Train a run again; a trial that was judged on several seeds is all of their runs.

    Args:
        study: that holds the run.
        record: the run.
        dataset: from ``data_of``.
        device: None = the record's.

    Raises:
        UserError: the data are others than it was made with, or it holds no finished epoch.
    """
    device = check_device(device or str(stated(record, "device")))
    torch.set_num_threads(int(stated(record, "threads")))
    for run in [each for each in study.trial_seeds if each.folder.parent == record.folder] or [record]:
        with working(f"training {run.record['epochs']} epochs again, {duration(run.seconds)} the first time"):
            difference = verify(run, dataset, device=device)
        yield Replayed(run, difference)

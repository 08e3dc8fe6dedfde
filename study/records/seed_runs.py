"""The runs of a trial that is judged on several seeds: where they lie, and the trial's own record made of them.

Every seed has a run folder of its own inside the trial's (``trials/<n>/seed-<seed>``). The trial's record lies beside
them, so that whoever reads trials need not know how many seeds there were: validation metrics are means over the seeds,
epochs and seconds are sums; the curve and the hashes are those of the first seed, which is the study's.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.evaluation.user_metrics import UserMetrics
from sea_core.run_folder import HISTORY, RECORD, VALIDATION, RunFiles, RunFolder, read_run_folder
from study.records.folder import StudyFolder


def finished_seeds(
    folder: StudyFolder, number: int, config: Config, seeds: Sequence[int], dataset: Dataset
) -> list[RunFolder]:
    """The runs of a trial that are finished, in the order of the seeds, up to the first that is not."""
    runs = []
    for seed in seeds:
        try:
            run = read_run_folder(folder.trial_seed(number, seed))
            expected = {"config_hash": config.hash(), "seed": seed, "data_hash": dataset.data_hash}
            if any(run.record[key] != value for key, value in expected.items()) or "validation" not in run.record:
                break
        except (UserError, KeyError):
            break
        runs.append(run)
    return runs


def seed_values(runs: Sequence[RunFolder], metric: str) -> list[float]:
    """What each run counts for: the watched metric at its best epoch."""
    return [float(run.record["validation"][metric]) for run in runs]


def joint_files(runs: Sequence[RunFolder]) -> RunFiles:
    """The trial's own run folder, made of those of its seeds; at least one."""
    first, records = runs[0], [run.record for run in runs]
    record = {
        **{key: value for key, value in first.record.items() if key != "trial"},
        "epochs": sum(record["epochs"] for record in records),
        "seconds": sum(record["seconds"] for record in records),
        **_cpu_seconds(records),
        "validation": {
            name: float(np.mean([record["validation"][name] for record in records]))
            for name in first.record["validation"]
        },
    }
    files = {RECORD: json.dumps(record).encode(), HISTORY: (first.folder / HISTORY).read_bytes()}
    if all((run.folder / VALIDATION).exists() for run in runs):
        buffer = io.BytesIO()
        _mean([run.read_validation() for run in runs]).to_frame().to_parquet(buffer, index=False)
        files[VALIDATION] = buffer.getvalue()
    return files


def judged_on(runs: Sequence[RunFolder], metric: str) -> dict[str, Any]:
    """The part of a trial's entry that says which seeds it had and what each was worth."""
    return {"seeds": [run.record["seed"] for run in runs], "values": seed_values(runs, metric)}


def seed_entry(number: int, seed: int, *, attempts: int) -> dict[str, Any]:
    """The part of a seed's record that says whose it is."""
    return {"trial": {"number": number, "seed": seed, "attempts": attempts}}


def _cpu_seconds(records: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Of all seeds; nothing if one of them was trained before it was measured."""
    known = [float(record["cpu_seconds"]) for record in records if "cpu_seconds" in record]
    return {"cpu_seconds": sum(known)} if len(known) == len(records) else {}


def _mean(metrics: Sequence[UserMetrics]) -> UserMetrics:
    first = metrics[0]
    values = {name: np.mean([each.values[name] for each in metrics], axis=0) for name in first.values}
    return UserMetrics(first.users, values)

"""The ablation runs of a study as figures need them: which arms there are, their titles, their per-user metrics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from plots.lib.figure import MissingRecordsError
from study.records.arm_names import FULL
from study.records.study import RunRecord, Study


def finished_runs(study: Study) -> dict[tuple[str, str], dict[int, RunRecord]]:
    """Mode and arm -> seed -> run, for the runs that were tested; ``full`` first.

    Raises:
        MissingRecordsError: there are none, or none of the full model.
    """
    runs: dict[tuple[str, str], dict[int, RunRecord]] = {}
    for run in sorted(study.ablations, key=lambda run: run.arm != FULL):
        if run.state == "complete" and run.test is not None and run.seed is not None:
            runs.setdefault((str(run.mode), str(run.arm)), {})[run.seed] = run
    if not any(arm == FULL for _, arm in runs):
        raise MissingRecordsError("no ablation of this study has finished (run ablations/run_ablations.py)")
    return runs


def title(run: RunRecord) -> str:
    """What the arm is called in tables and figures."""
    return run.title


def per_user(runs: Sequence[RunRecord], metric: str) -> np.ndarray:
    """Test metric ``(runs, users)``."""
    return np.stack([np.asarray(run.test.values[metric], dtype=np.float64) for run in runs if run.test is not None])

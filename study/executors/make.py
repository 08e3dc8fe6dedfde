"""Choosing an executor."""

from __future__ import annotations

from sea_core.data.dataset import Dataset
from study.executors.base import Executor
from study.executors.in_process import InProcessExecutor
from study.trial_worker import TrialWorker


def make_executor(dataset: Dataset, *, device: str, threads: int | None) -> Executor:
    """An executor for runs on ``dataset``; close it in the end."""
    return InProcessExecutor(TrialWorker(dataset, device=device, threads=threads))

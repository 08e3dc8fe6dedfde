"""What a search cost, in epochs and in full runs of its first trial, by which searches of different models compare."""

from __future__ import annotations

from collections.abc import Sequence

from study.records.study import RunRecord

# By which searches of one budget may differ, as the last run is not cut short.
SAME_RUNS, SAME_SHARE = 1.0, 0.1


def epochs_run(runs: Sequence[RunRecord]) -> list[int]:
    """Epochs of each run that was trained, not copied."""
    paid = [run for run in runs if run.duplicate_of is None and "copied_from" not in run.record]
    return [run.record.get("epochs") or 0 for run in paid]


def full_runs(trials: Sequence[RunRecord]) -> float | None:
    """Epochs of all trials over those of the first one, the default; None where that one says nothing.

    Args:
        trials: of one search, by number.
    """
    first = next((trial for trial in trials if trial.number == 0 and trial.state == "complete"), None)
    whole = 0 if first is None else first.record.get("epochs") or 0
    return sum(epochs_run(trials)) / whole if whole else None


def cost_alike(one: float, other: float) -> bool:
    """Whether two searches may have had one budget, both in full runs."""
    return abs(one - other) <= max(SAME_RUNS, SAME_SHARE * one)

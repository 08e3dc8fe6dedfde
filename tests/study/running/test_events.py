"""What the driver and the sources tell, and when."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from sea_core.training.loop import Stopped
from study.records.run import Run
from study.running.events import (
    EpochEnded,
    RunBegun,
    RunEvent,
    SlotFreed,
    StudyBegun,
    StudyEnded,
    TrialEnded,
    announced,
)
from tests.study.small_searches import search

BEGUN = StudyBegun("tiny", Path("results/tiny"), "random", {})


def test_every_trial_begins_reports_its_epochs_ends_and_frees_its_slot(tmp_path: Path) -> None:
    heard: list[RunEvent] = []
    trials = search(tmp_path, 3, emit=heard.append, pruner="none").trials()
    for trial in trials:
        own = [event for event in heard if getattr(event, "key", "").endswith(f"trials/{trial.number}")]
        assert [type(event) for event in own] == [RunBegun, *[EpochEnded] * 5, TrialEnded, SlotFreed]
        told = [event.report.validation["recall@20"] for event in own if isinstance(event, EpochEnded)]
        assert told == list(trial.intermediate_values.values())
        ended = own[-2]
        assert isinstance(ended, TrialEnded)
        assert (ended.number, ended.value, ended.params) == (trial.number, trial.value, trial.params)
        assert str(ended) == f"trial {trial.number} complete {trial.value:.4f}"


def test_a_trial_that_fails_says_why(tmp_path: Path) -> None:
    def misbehave(run: Run, epoch: int) -> None:
        raise MemoryError("not enough memory")

    heard: list[RunEvent] = []
    search(tmp_path, 1, emit=heard.append, misbehave=misbehave)
    ended = next(event for event in heard if isinstance(event, TrialEnded))
    assert (ended.state, ended.value) == ("failed", None)
    assert "not enough memory" in str(ended)
    assert [event.how for event in heard if isinstance(event, SlotFreed)] == ["failed"]


@pytest.mark.parametrize(("error", "how"), [(Stopped(), "stopped"), (ValueError(), "failed"), (None, "finished")])
def test_a_study_is_announced_and_its_end_too_whatever_it_is(error: Exception | None, how: str) -> None:
    heard: list[RunEvent] = []
    with contextlib.suppress(Stopped, ValueError), announced(BEGUN, heard.append):
        if error is not None:
            raise error
    assert heard == [BEGUN, StudyEnded("tiny", Path("results/tiny"), how)]  # type: ignore[arg-type]

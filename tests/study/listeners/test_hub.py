"""A listener may do what it likes: the study neither ends nor changes by it."""

from __future__ import annotations

import random
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sea_core.config import Config
from study.listeners.hub import Hub
from study.records.study import load_study
from study.running.events import EpochEnded, Note, RunBegun, RunEvent, TrialEnded, silent
from study.running.executors.in_process import InProcessExecutor
from study.running.worker import TrialWorker
from tests.conftest import random_dataset
from tests.study.small_searches import outcome, search


class Recorder:
    def __init__(self) -> None:
        self.heard: list[RunEvent] = []
        self.closed = 0

    def hear(self, event: RunEvent) -> None:
        self.heard.append(event)

    def close(self) -> None:
        self.closed += 1


class Raising(Recorder):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def hear(self, event: RunEvent) -> None:
        super().hear(event)
        raise self.error


class Vandal(Recorder):
    """Writes into what it is given, draws from every global generator, and changes how torch computes."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = 0

    def hear(self, event: RunEvent) -> None:
        super().hear(event)
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002 -- that is the point
        torch.manual_seed(1)
        torch.rand(3)
        torch.set_num_threads(2)
        torch.set_default_dtype(torch.float64)
        warnings.warn("of a tracker's own library", DeprecationWarning, stacklevel=1)
        if isinstance(event, RunBegun | EpochEnded):
            object.__setattr__(event.config, "epochs", 1)
        if isinstance(event, EpochEnded):
            for numbers in (event.report.validation, event.report.losses):
                try:
                    numbers["recall@20"] = 9.0  # type: ignore[index]
                except TypeError:
                    self.refused += 1
        if isinstance(event, TrialEnded):
            dict.clear(event.params)  # type: ignore[arg-type]


def bits(root: Path) -> list[Any]:
    """Everything of the trials' records that a listener could have touched."""
    trials = load_study(root / "tiny").trials
    curves = [trial.history.drop(columns="seconds").to_dict() for trial in trials if trial.history is not None]
    assert len(curves) == 3
    return [[trial.weights_hash, dict(trial.record["config"]), trial.record["validation"]] for trial in trials] + curves


def test_all_listeners_hear_all_events_in_order_and_are_closed_once() -> None:
    one, two = Recorder(), Recorder()
    with Hub({"one": one, "two": two}) as emit:
        for number in range(3):
            emit(Note(str(number)))
    assert [str(event) for event in one.heard] == ["0", "1", "2"]
    assert one.heard == two.heard
    assert (one.closed, two.closed) == (1, 1)


@pytest.mark.parametrize("error", [ValueError("no such\nserver"), SystemExit(3)])
def test_a_listener_that_raises_is_warned_about_once_and_left_out(error: BaseException) -> None:
    bad, good, message = Raising(error), Recorder(), list[str]()
    with Hub({"bad": bad, "good": good}, warn=message.append) as emit:
        emit(Note("a"))
        emit(Note("b"))
    assert len(message) == 1
    assert "listener 'bad' failed" in message[0]
    assert "the study goes on" in message[0]
    assert "\n" not in message[0]
    assert (len(bad.heard), bad.closed) == (1, 1)
    assert len(good.heard) == 2


def test_ctrl_c_inside_a_listener_still_ends_the_study() -> None:
    with pytest.raises(KeyboardInterrupt), Hub({"bad": Raising(KeyboardInterrupt())}) as emit:
        emit(Note("a"))


def test_a_listener_that_fails_to_close_does_not_keep_others_from_closing(capsys: pytest.CaptureFixture[str]) -> None:
    class Stuck(Recorder):
        def close(self) -> None:
            raise OSError("disk full")

    other = Recorder()
    with Hub({"stuck": Stuck(), "other": other}):
        pass
    assert other.closed == 1
    assert "listener 'stuck' failed" in capsys.readouterr().err


def test_nothing_a_listener_does_changes_a_bit_of_a_study(tmp_path: Path) -> None:
    dataset, threads = random_dataset(), torch.get_num_threads()
    base = Config(epochs=3, latent_dim=8, item_mlp_hidden=8, batch_size=32, club_steps=2)
    settings: dict[str, Any] = {
        "dataset": dataset,
        "base": base,
        "space": {"learning_rate": {"low": 1e-3, "high": 1e-2}},
    }
    calm = search(tmp_path / "calm", 3, executor=InProcessExecutor(TrialWorker(dataset)), emit=silent, **settings)
    vandal = Vandal()
    with Hub({"vandal": vandal}, warn=lambda line: pytest.fail(line)) as emit:
        mad = search(tmp_path / "mad", 3, executor=InProcessExecutor(TrialWorker(dataset)), emit=emit, **settings)
    assert outcome(mad) == outcome(calm)
    assert bits(tmp_path / "mad") == bits(tmp_path / "calm")
    assert sum(isinstance(event, EpochEnded) for event in vandal.heard) == 9
    assert vandal.refused == 18
    assert torch.get_num_threads() == threads
    assert torch.get_default_dtype() == torch.float32
    assert sys.exc_info() == (None, None, None)

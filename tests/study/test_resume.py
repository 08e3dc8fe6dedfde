from collections.abc import Callable
from pathlib import Path

import pytest
from optuna.trial import TrialState

from sea_core.interrupts import StopRequest
from sea_core.training.loop import Stopped
from study.records.run import Run
from tests.study.small_searches import outcome, search


class KilledError(BaseException):
    """Stands for SIGKILL: nothing in the driver may catch it."""


def kill_at(*epochs: int) -> Callable[[Run, int], None]:
    """Kill at these epochs, counted over all trials and restarts."""
    seen = 0

    def misbehave(run: Run, epoch: int) -> None:
        nonlocal seen
        seen += 1
        if seen in epochs:
            raise KilledError

    return misbehave


@pytest.mark.parametrize(
    ("sampler", "pruner", "trials"),
    [
        pytest.param("tpe", "median", 30, marks=pytest.mark.slow),
        ("tpe", "hyperband", 12),
        pytest.param("tpe", "promote", 30, marks=pytest.mark.slow),
        ("random", "promote", 12),
        ("random", "none", 6),
        ("qmc", "none", 6),
        pytest.param("gp", "median", 14, marks=pytest.mark.slow),
    ],
)
def test_a_study_in_two_halves_equals_a_whole_one(tmp_path: Path, sampler: str, pruner: str, trials: int) -> None:
    whole = search(tmp_path / "whole", trials, sampler=sampler, pruner=pruner)
    search(tmp_path / "halves", trials // 2, sampler=sampler, pruner=pruner)
    halves = search(tmp_path / "halves", trials, sampler=sampler, pruner=pruner)
    assert outcome(halves) == outcome(whole)


@pytest.mark.parametrize("pruner", ["median", "hyperband", "promote"])
@pytest.mark.slow
def test_kills_between_epochs_change_nothing(tmp_path: Path, pruner: str) -> None:
    trials = 16 if pruner == "promote" else 10  # which trains fewer epochs of each
    whole = search(tmp_path / "whole", trials, pruner=pruner)
    kill, kills = kill_at(3, 20, 22, 38), 0
    while True:
        try:
            killed = search(tmp_path / "killed", trials, pruner=pruner, misbehave=kill)
            break
        except KilledError:
            kills += 1
    assert kills == 4
    assert any(trial.state == TrialState.PRUNED for trial in whole.trials()), "nothing was pruned: a weak test"
    assert outcome(killed) == outcome(whole)


def test_a_stopped_trial_continues_with_its_number_and_parameters(tmp_path: Path) -> None:
    stop = StopRequest()

    def ask_to_stop(run: Run, epoch: int) -> None:
        stop.asked = stop.asked or epoch == 2

    with pytest.raises(Stopped):
        search(tmp_path / "stopped", 3, misbehave=ask_to_stop, stop=stop)
    assert (tmp_path / "stopped/tiny/trials/0/checkpoint.safetensors").exists()
    begun = search(tmp_path / "stopped", 0)
    whole = search(tmp_path / "whole", 3)
    assert outcome(begun) == outcome(whole)[:1]
    assert not (tmp_path / "stopped/tiny/trials/0/checkpoint.safetensors").exists()
    assert outcome(search(tmp_path / "stopped", 3)) == outcome(whole)

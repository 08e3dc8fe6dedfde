"""Ctrl-C once finishes the epoch, twice stops now; either way the same command ends with an undisturbed study."""

import os
import random
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from sea_core.interrupts import graceful_stop, no_interrupt_lost
from sea_core.training.loop import Stopped
from study.records.run import Run
from study.records.study import load_study
from tests.study.small_searches import outcome, search

PROGRAM = Path(__file__).parents[2] / "study" / "run_search.py"


def press_at(epoch_to_press: int, presses: int) -> Callable[[Run, int], None]:
    """Send this process Ctrl-C while the study trains its n-th epoch."""
    seen = 0

    def misbehave(run: Run, epoch: int) -> None:
        nonlocal seen
        seen += 1
        if seen == epoch_to_press:
            for _ in range(presses):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.01)  # signals of one kind do not queue

    return misbehave


@pytest.mark.parametrize(("presses", "ends_with"), [(1, Stopped), (2, KeyboardInterrupt)])
def test_a_study_stopped_by_ctrl_c_goes_on_as_if_it_had_not_been(
    tmp_path: Path, presses: int, ends_with: type[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    with graceful_stop() as stop, pytest.raises(ends_with):
        search(tmp_path / "stopped", 4, misbehave=press_at(8, presses), stop=stop)
    assert "stopping after this epoch; press Ctrl-C again to stop now" in capsys.readouterr().err
    kept = (tmp_path / "stopped/tiny/trials/1/checkpoint.safetensors").exists()
    assert kept == (presses == 1), "one press leaves a checkpoint of the epoch it waited for"
    assert outcome(search(tmp_path / "stopped", 4)) == outcome(search(tmp_path / "whole", 4))


def test_outside_the_block_ctrl_c_is_what_it_was() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with graceful_stop() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)
        assert stop.asked, "a scheduler's SIGTERM asks to stop too"
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_press_that_comes_where_python_cannot_raise_is_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    class Thing:
        pass

    def press(_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)

    def work() -> None:
        thing = Thing()
        reference = weakref.ref(thing, press)
        press(None)
        del thing  # the second press, in the callback of a weak reference
        assert reference() is None
        time.sleep(2)

    with no_interrupt_lost(), graceful_stop(), pytest.raises(KeyboardInterrupt):
        work()
    assert "Exception ignored" not in capsys.readouterr().err


HANGING = """
import ctypes, os, signal, sys, time
from sea_core import interrupts
interrupts._PATIENCE = 1.0
with interrupts.graceful_stop() as stop:
    print("ready", flush=True)
    while True:
        try:
            {hang}
        except KeyboardInterrupt:
            pass
"""


@pytest.mark.parametrize(
    ("hang", "signals", "code"),
    [
        ("time.sleep(60)", [signal.SIGTERM], 130),  # a loop that looks at no flag
        ("time.sleep(60)", [signal.SIGTERM, signal.SIGTERM], 130),  # one that swallows the second signal's error
        ("time.sleep(60)", [signal.SIGINT, signal.SIGINT], 130),
        ("ctypes.PyDLL(None).sleep(60)", [signal.SIGTERM], -signal.SIGALRM),  # compiled code that lets no Python run
    ],
)
@pytest.mark.slow
def test_a_program_that_hangs_ends_soon_after_someone_insists(
    hang: str, signals: list[signal.Signals], code: int
) -> None:
    script = HANGING.format(hang=hang)
    if "PyDLL" in hang:  # the handler needs Python to run once: send the signal from inside
        script = script.replace(hang, f"os.kill(os.getpid(), signal.SIGTERM); {hang}")
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    for number in [] if "PyDLL" in hang else signals:
        process.send_signal(number)
        time.sleep(0.1)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == code, errors
    assert ("goes on from its checkpoints" in errors) == (code == 130)


def test_a_program_that_stops_in_time_is_not_ended_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sea_core.interrupts._PATIENCE", 0.05)
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    with graceful_stop():
        os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.3)
    assert ended == []
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.timing
@pytest.mark.slow
def test_two_presses_at_any_moment_end_the_real_program_with_code_130_and_no_traceback(tmp_path: Path) -> None:
    command = [sys.executable, str(PROGRAM), "-d", "synthetic:users=60,items=50,interactions=8,dims=8/6", "--n-trials"]
    command += ["2", "--epochs", "2000", "--threads", "1", "--no-finalize", "--out", str(tmp_path)]
    generator = random.Random(0)
    for _ in range(15):
        process = subprocess.Popen([*command, "--set", "stopping_step=2000"], stderr=subprocess.PIPE, text=True)
        time.sleep(generator.uniform(0.3, 4))
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            time.sleep(generator.choice([0.005, 0.03, 0.05, 0.07]))
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130, errors
        assert "Traceback" not in errors


@pytest.mark.timing
@pytest.mark.slow
@pytest.mark.parametrize("presses", [1, 2])
def test_the_real_program_resumed_after_ctrl_c_leaves_the_bytes_of_an_undisturbed_one(
    tmp_path: Path, presses: int
) -> None:
    command = [sys.executable, str(PROGRAM), "-d", "synthetic:users=60,items=50,interactions=8,dims=8/6"]
    command += ["--n-trials", "3", "--epochs", "60", "--threads", "1", "--no-finalize", "--quiet"]
    command += ["--set", "stopping_step=60", "latent_dim=8"]

    def run(out: str) -> int:
        return subprocess.run([*command, "--out", str(tmp_path / out)], check=False).returncode

    assert run("whole") == 0
    stopped_command = [*command, "--out", str(tmp_path / "stopped")]
    process = subprocess.Popen(stopped_command, stderr=subprocess.PIPE, text=True)
    for _ in range(600):
        if list(tmp_path.glob("stopped/*/trials/1/attempts.json")):
            break
        time.sleep(0.1)
    for _ in range(presses):
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    # Epochs are short here: the first press may have stopped the study before the second came.
    assert presses == 2 or "this continues the study:" in errors
    assert run("stopped") == 0
    (whole,), (stopped,) = ((tmp_path / name).glob("synthetic*") for name in ("whole", "stopped"))
    assert (whole / "tables/trials.csv").read_bytes() == (stopped / "tables/trials.csv").read_bytes()
    hashes = [[trial.weights_hash for trial in load_study(root).trials] for root in (whole, stopped)]
    assert hashes[0] == hashes[1]

"""SIGKILL at random moments. A few kills by default; ``make chaos`` kills the real program, often."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from study.executors.base import Task
from study.records import load_study
from tests.conftest import random_dataset
from tests.study.searching import outcome, search
from tests.study.stand_in import StandInWorker

KILLS = int(os.environ.get("SEA_CHAOS_KILLS", "5"))
PROGRAM = Path(__file__).parents[2] / "study" / "run_search.py"


def slow_down(task: Task, epoch: int) -> None:
    time.sleep(0.005)


def search_in_a_fork(root: Path, trials: int, pruner: str) -> int:
    """Start a driver in a process of its own, without the seconds that imports take."""
    child = os.fork()
    if child == 0:
        try:
            search(root, trials, pruner=pruner, worker=StandInWorker(random_dataset(), slow_down))
        finally:
            os._exit(0)
    return child


@pytest.mark.chaos
@pytest.mark.parametrize("pruner", ["median", pytest.param("hyperband", marks=pytest.mark.slow)])
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_driver_killed_at_random_moments_ends_with_the_study_of_an_undisturbed_one(
    tmp_path: Path, pruner: str
) -> None:
    trials = 8 if KILLS <= 5 else 30
    began = time.monotonic()
    whole = search(tmp_path / "whole", trials, pruner=pruner, worker=StandInWorker(random_dataset(), slow_down))
    typical = time.monotonic() - began
    randomness, killed = random.Random(0), 0
    while killed < KILLS:
        child = search_in_a_fork(tmp_path / "killed", trials, pruner)
        time.sleep(randomness.uniform(0.0, 2 * typical / KILLS))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            break  # it was quicker than we
        killed += 1
    assert killed >= 3
    ended = search(tmp_path / "killed", trials, pruner=pruner)
    assert outcome(ended) == outcome(whole)
    records = [load_study(tmp_path / name / "tiny").trials for name in ("whole", "killed")]
    assert [r.record for r in records[0]] == [r.record for r in records[1]]


@pytest.mark.chaos
@pytest.mark.slow
def test_the_real_program_killed_with_its_process_group_leaves_the_same_bytes(tmp_path: Path) -> None:
    data = "synthetic:users=60,items=50,interactions=8,dims=8/6"
    command = [sys.executable, str(PROGRAM), "-d", data, "--n-trials", "30", "--epochs", "8", "--threads", "1"]
    command += ["--no-finalize", "--quiet", "--set", "latent_dim=8", "batch_size=64"]

    def start(out: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*command, "--out", str(tmp_path / out)], start_new_session=True)

    began = time.monotonic()
    assert start("whole").wait() == 0
    typical = time.monotonic() - began
    randomness, kills, finished = random.Random(1), 0, False
    while kills < max(20, KILLS) and not finished:
        process = start("killed")
        try:
            # The first seconds are imports; a kill every tenth of the study, counted from there, meets all its phases.
            process.wait(timeout=randomness.uniform(0.3 * typical, 0.5 * typical))
            finished = True
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
    assert start("killed").wait() == 0
    (whole,), (killed,) = ((tmp_path / name).glob("synthetic*") for name in ("whole", "killed"))
    assert (whole / "tables/trials.csv").read_bytes() == (killed / "tables/trials.csv").read_bytes()
    numbers = [trial.number for trial in load_study(killed).trials]
    assert numbers == list(range(30))
    hashes = [[trial.weights_hash for trial in load_study(root).trials] for root in (whole, killed)]
    assert hashes[0] == hashes[1]
    (tmp_path / "report.json").write_text(json.dumps({"kills": kills}))
    assert kills >= 5


@pytest.mark.chaos
@pytest.mark.slow
def test_ctrl_c_once_finishes_the_epoch_and_says_how_to_go_on_and_twice_stops_at_once(tmp_path: Path) -> None:
    data = "synthetic:users=60,items=50,interactions=8,dims=8/6"
    command = [sys.executable, str(PROGRAM), "-d", data, "--n-trials", "2", "--epochs", "2000", "--threads", "1"]
    command += ["--no-finalize", "--set", "stopping_step=2000", "--out", str(tmp_path)]
    for presses, expected in ((1, "this continues the study:"), (2, "")):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        (log,) = _wait_for(tmp_path, "*/trials/0/log.txt")
        _wait_for(tmp_path, "*/study.db-wal")
        time.sleep(3)
        for _ in range(presses):
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130
        assert expected in errors
        assert "Traceback" not in errors
        if presses == 1:
            assert "put aside with a checkpoint" in log.read_text()
    assert "continued from a checkpoint" in log.read_text()


def _wait_for(root: Path, pattern: str, seconds: float = 120) -> list[Path]:
    for _ in range(int(seconds * 10)):
        if found := list(root.glob(pattern)):
            return found
        time.sleep(0.1)
    raise AssertionError(f"{pattern} did not appear in {root}")

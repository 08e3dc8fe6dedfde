"""A driver with stand-in workers, killed: at random moments, and at every point where it touches the disk."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from study.records.lock import hold_lock
from study.records.run import Run
from study.records.study import load_study
from study.searching.promotion import Promotion
from tests.conftest import random_dataset
from tests.study.small_searches import BASE, outcome, search
from tests.study.stand_in import StandInWorker

KILLS = int(os.environ.get("SEA_CHAOS_KILLS", "5"))
PROGRAM = Path(__file__).parents[2] / "study" / "run_search.py"


def slow_down(run: Run, epoch: int) -> None:
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
@pytest.mark.parametrize(
    "pruner", ["promote", *(pytest.param(other, marks=pytest.mark.slow) for other in ("median", "hyperband"))]
)
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
        if os.WIFSIGNALED(status):
            killed += 1
        elif killed >= 3:
            break  # it ended before we could kill it more often
        else:  # the undisturbed study took longer than this one, as on a busy machine: begin anew, and kill sooner
            shutil.rmtree(tmp_path / "killed")
            killed, typical = 0, typical / 2
    ended = search(tmp_path / "killed", trials, pruner=pruner)
    assert outcome(ended) == outcome(whole)
    records = [load_study(tmp_path / name / "tiny").trials for name in ("whole", "killed")]
    assert [r.record for r in records[0]] == [r.record for r in records[1]]


def die_before_touch(number: int) -> None:
    """End this process as SIGKILL would just before its ``number``-th change of a file, folder or database."""
    touches = 0

    def touch() -> None:
        nonlocal touches
        touches += 1
        if touches == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def on_event(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if writes or event in ("os.rename", "os.remove", "os.mkdir"):
            touch()

    sys.addaudithook(on_event)  # cannot be removed, but the process it is in ends soon
    sqlalchemy.event.listen(sqlalchemy.Engine, "commit", lambda connection: touch())


def files(root: Path) -> set[str]:
    """What a study holds beside its database, whose helper files go with its last reader."""
    names = {str(path.relative_to(root)) for path in (root / "tiny").rglob("*")}
    return {path.removeprefix("tiny/") for path in names if not path.startswith("tiny/study.db")}


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
@pytest.mark.parametrize("kind", ["one seed", "two seeds", "promote"])
def test_a_driver_killed_before_each_write_in_turn_ends_with_the_same_study(tmp_path: Path, kind: str) -> None:
    settings: dict[str, Any] = {"trials": 3, "base": BASE.override(epochs=2)}
    settings |= {"seeds_per_trial": 2} if kind == "two seeds" else {}
    if kind == "promote":  # pauses, checkpoints, a promotion, and trials that are told in the end
        settings |= {"trials": 5, "pruner": "promote", "promotion": Promotion(rungs=(1,), factor=2, points=1)}
    whole = outcome(search(tmp_path / "whole", **settings))
    point, survived = 0, False
    while not survived:
        point += 1
        root = tmp_path / f"killed-{point}"
        child = os.fork()
        if child == 0:
            try:
                die_before_touch(point)
                search(root, **settings)
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        survived = not os.WIFSIGNALED(status)
        with hold_lock(root / "tiny"):
            assert outcome(search(root, **settings)) == whole, f"killed before write {point}"
        records = [trial.record for trial in load_study(root / "tiny").trials]
        assert records == [trial.record for trial in load_study(tmp_path / "whole/tiny").trials]
        assert files(root) == files(tmp_path / "whole") | {"driver.lock"}
        shutil.rmtree(root)
    assert point > 50


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
        if paths := list(root.glob(pattern)):
            return paths
        time.sleep(0.1)
    raise AssertionError(f"{pattern} did not appear in {root}")

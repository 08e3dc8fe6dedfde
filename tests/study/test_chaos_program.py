"""The real program under SIGKILL: all its phases, many times, and a study like an undisturbed one. ``make chaos``.

``SEA_CHAOS_SEED`` repeats the kills of a run (as far as a machine's timing can be repeated), ``SEA_CHAOS_KILLS`` sets
their number.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest

from study.records.study import load_study

pytestmark = [pytest.mark.chaos, pytest.mark.slow]

PROGRAM = Path(__file__).parents[2] / "study" / "run_search.py"
DATA = "synthetic:users=60,items=50,interactions=8,dims=8/6"
TRIALS = 30
COMMAND = [sys.executable, str(PROGRAM), "-d", DATA, "--n-trials", str(TRIALS), "--final-epochs", "6", "--threads", "1"]
COMMAND += ["--rungs", "2", "4"]  # trials pause, go on, and are told in the end
COMMAND += ["--finalists", "2", "--fresh-seeds", "2", "--study-name", "study", "--quiet", "--set", "latent_dim=8"]
COMMAND += ["item_mlp_hidden=6", "align_hidden=4", "align_out=4", "distance_dim=4", "club_steps=2", "batch_size=64"]

SEED = int(os.environ.get("SEA_CHAOS_SEED") or random.SystemRandom().randrange(10**6))
KILLS = int(os.environ.get("SEA_CHAOS_KILLS", "24"))
PATIENCE = 300.0  # seconds until something we wait for must have happened
TIMED = {
    "log.txt",
    "provenance.json",
    "estimate.json",
    "report.html",
    "study.db",
    "driver.lock",
    "drawn.json",
    "costs.csv",
    "costs.md",
    "costs.tex",
}  # two figures, too
CLOCK = {"seconds", "cpu_seconds", "time", "attempts", "estimate", "fixed"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed study."""
    out = tmp_path_factory.mktemp("whole")
    assert start(out).wait() == 0
    return out / "study"


def start(out: Path, *more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*COMMAND, *more, "--out", str(out)], stdout=subprocess.DEVNULL, start_new_session=True)


def records(root: Path) -> list[Path]:
    return [
        *root.glob("trials/*/record.json"),
        *root.glob("final/**/record.json"),
        *root.glob("ablations/**/record.json"),
    ]


def half_written(root: Path) -> list[Path]:
    return list(root.rglob(".*.tmp"))


def phase(root: Path, *, driving: bool) -> str:
    """What the program was at, from what it had written."""
    if not driving:
        return "start-up"
    if not list(root.glob("trials/*/record.json")):
        return "search"
    with_records = [
        ("tables and figures", root.glob("tables/ablation.csv")),
        ("ablations", root.glob("ablations/*")),
        ("winner and baselines", root.glob("final/selection.json")),
        ("finalists", root.glob("final/finalists/*")),
    ]
    return next((name for name, records in with_records if list(records)), "search")


def test_the_real_program_killed_everywhere_leaves_the_study_of_an_undisturbed_one(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    randomness, root = random.Random(SEED), tmp_path / "study"
    plan = kill_plan(randomness, total=len(records(whole)))
    phases, torn, finished = Counter[str](), 0, 0
    for wait in plan:
        process = start(tmp_path)
        wait(process, root)
        if process.poll() is not None:
            assert process.returncode == 0
            finished += 1  # it was quicker than we
            continue
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        phases[phase(root, driving=owner(root / "driver.json") == process.pid)] += 1
        torn += any(f".{process.pid}." in path.name for path in half_written(root))
    kills = sum(phases.values())
    with capsys.disabled():
        print(f"\nSEA_CHAOS_SEED={SEED}: {kills} kills, {dict(phases)}; {torn} left a half-written file")
    assert start(tmp_path).wait() == 0
    assert kills >= min(20, KILLS)
    assert phases.keys() >= {"start-up", "search", "finalists", "ablations"}
    assert differences(whole, root) == []


def test_a_kill_at_each_phase_of_the_end_loses_nothing(whole: Path, tmp_path: Path) -> None:
    """Tables and figures, where a kill may leave some of them old and others new."""
    root = tmp_path / "study"
    for name in ("tables/overall.csv", "tables/statistics.csv", "figures/*.png"):
        process = start(tmp_path)
        wait_until(lambda name=name: any(root.glob(name)), process)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert start(tmp_path).wait() == 0
    assert differences(whole, root) == []


def kill_plan(randomness: random.Random, *, total: int) -> list[Callable[[subprocess.Popen[bytes], Path], None]]:
    """When to kill: a few times while it starts, then at random moments spread over all ``total`` runs of the study.

    Every third of these comes as soon as a file is seen half written.
    """

    def while_starting(process: subprocess.Popen[bytes], root: Path) -> None:
        time.sleep(randomness.uniform(0.1, 2.5))

    def after(number: int, *, in_a_write: bool) -> Callable[[subprocess.Popen[bytes], Path], None]:
        def wait(process: subprocess.Popen[bytes], root: Path) -> None:
            driving = root / "driver.json"
            wait_until(lambda: owner(driving) == process.pid and len(records(root)) >= number, process)
            time.sleep(randomness.uniform(0.0, 0.5))
            if in_a_write:
                wait_until(lambda: bool(half_written(root)), process, pause=0.0)

        return wait

    starting = max(1, KILLS // 8)
    later = KILLS - starting
    targets = [randomness.uniform(i, i + 1) * total / later for i in range(later)]
    moments = [after(int(target), in_a_write=index % 3 == 2) for index, target in enumerate(targets)]
    # A start-up is not always the first: it may find a study in any state.
    for _ in range(starting):
        moments.insert(randomness.randrange(len(moments)), while_starting)
    return moments


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[bytes], *, pause: float = 0.01) -> None:
    """Wait for a condition or for the program's end."""
    began = time.monotonic()
    while process.poll() is None and not condition():
        assert time.monotonic() - began < PATIENCE, "the program hangs"
        time.sleep(pause)


def owner(driving: Path) -> int | None:
    try:
        pid: int = json.loads(driving.read_text())["pid"]
    except (OSError, ValueError):
        return None
    return pid


def differences(whole: Path, killed: Path) -> list[str]:
    """What distinguishes a study from the undisturbed one, but for the clock."""
    differing = [f"{name} is only in one of them" for name in sorted(set(names(whole)) ^ set(names(killed)))]
    differing += [
        f"{name} differs"
        for name in sorted(set(names(whole)) & set(names(killed)))
        if content(whole / name) != content(killed / name)
    ]
    return differing + [f"database: {line}" for line in database_differences(whole, killed)]


def names(root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and not is_optional(path)]


def is_optional(path: Path) -> bool:
    return path.name in ("study.db-wal", "study.db-shm", "estimate.json")  # a kill may come before the probe's end


def content(path: Path) -> Any:
    """A file's content without what depends on the clock, the machine's load or the number of attempts."""
    if path.parent.name == "figures" or path.name in TIMED:
        return None
    if path.name == "history.csv":
        return [line.rsplit(",", 1)[0] for line in path.read_text().splitlines()]
    if path.suffix == ".json":
        return without_clock(json.loads(path.read_text()), receipts=path.name == "receipt.json")
    return path.read_bytes()


def without_clock(value: Any, *, receipts: bool = False) -> Any:
    if isinstance(value, dict):
        return {key: without_clock(each) for key, each in value.items() if key not in CLOCK}
    if isinstance(value, list):
        each = [without_clock(one) for one in value]
        # A kill between a receipt and its run's record opens the test split for the same run again.
        return [one for index, one in enumerate(each) if one not in each[:index]] if receipts else each
    return value


def database_differences(whole: Path, killed: Path) -> list[str]:
    first, second = (
        optuna.load_study(study_name="study", storage=f"sqlite:///{root}/study.db").get_trials(deepcopy=False)
        for root in (whole, killed)
    )
    differing = [] if [t.number for t in second] == list(range(TRIALS)) else [f"{len(second)} trials"]
    for a, b in zip(first, second, strict=False):
        differing += [
            f"trial {a.number}'s {name}: {getattr(a, name)} and {getattr(b, name)}"
            for name in ("state", "value", "params", "intermediate_values")
            if getattr(a, name) != getattr(b, name)
        ]
    numbers = [trial.number for trial in load_study(killed).trials]
    return differing + ([] if numbers == list(range(TRIALS)) else [f"records of trials {numbers}"])

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from sea_core.config import Config
from sea_core.training.run import EpochReport
from study.running.display import LiveDisplay, PlainDisplay
from tests.study.small_searches import search

PROGRAM = Path(__file__).parents[3] / "study" / "run_search.py"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def report(epoch: int, value: float) -> EpochReport:
    return EpochReport(epoch, {}, {"recall@20": value}, True, 0.25)


def test_the_live_table_shows_what_runs_the_best_of_it_and_the_state_of_the_stage() -> None:
    console = Console(file=io.StringIO(), width=100)
    display = LiveDisplay(console)
    display.stage("search", total=10, done=3)
    for epoch, value in enumerate((0.2, 0.3, 0.1)):
        display.epoch("a", "trial 4", report(epoch, value), Config(epochs=40))
    display.epoch("b", "trial 5", report(0, 0.05), Config(epochs=40))
    display.result("trial 3 pruned 0.2000", status="best 0.4000 (trial 1), 1 pruned, 1 failed")
    console.print(display._render())
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "search · 4/10 · best 0.4000 (trial 1), 1 pruned, 1 failed · about" in shown
    assert re.search(r"trial 4\s+3/40\s+0.1000\s+0.3000\s+0.25", shown)
    assert re.search(r"trial 5\s+1/40\s+0.0500\s+0.0500", shown)
    display.gone("a")
    console.print(display._render())
    assert "trial 4" not in console.file.getvalue()[len(shown) :]  # type: ignore[attr-defined]


def test_plain_lines_hold_every_result_and_each_trial_has_a_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    display = PlainDisplay()
    display.stage("search", total=4)
    trials = search(tmp_path, 4, display=display).trials()
    lines = capsys.readouterr().out.splitlines()
    results = [line for line in lines if line.startswith("trial ")]
    for number, (line, trial) in enumerate(zip(results, trials, strict=True), start=1):
        assert line.startswith(f"trial {trial.number} {trial.state.name.lower()} {trial.value:.4f}  [{number}/4, best")
        began, ended = (tmp_path / f"tiny/trials/{trial.number}/log.txt").read_text().splitlines()
        assert began.endswith(" started")
        assert ended.endswith(f" {trial.state.name.lower()}")
    assert not ESCAPES.search("".join(lines))


@pytest.mark.slow
def test_one_worker_on_a_terminal_shows_a_live_table_and_elsewhere_plain_lines(tmp_path: Path) -> None:
    data = "synthetic:users=60,items=50,interactions=8,dims=8/6"
    command = [sys.executable, str(PROGRAM), "-d", data, "--n-trials", "2", "--epochs", "200", "--threads", "1"]
    command += ["--no-finalize", "--set", "stopping_step=200", "--out"]
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    process = subprocess.Popen([*command, str(tmp_path / "a")], stdout=theirs, env=environment)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        shown += part
    assert process.wait() == 0
    os.close(ours)
    text = shown.decode()
    assert ESCAPES.search(text)
    assert re.search(r"running\s+epoch\s+now\s+best\s+s/epoch", ESCAPES.sub("", text))
    assert re.search(r"trial [01]\s+\d+/200\s+0\.\d{4}", ESCAPES.sub("", text))
    assert "trial 1 complete" in ESCAPES.sub("", text)

    plain = subprocess.run([*command, str(tmp_path / "b")], capture_output=True, text=True, check=True).stdout
    assert not ESCAPES.search(plain)
    assert "trial 1 complete" in plain
    assert "s/epoch" not in plain.split("trial 0")[0]

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
from study.listeners.display import LiveDisplay, PlainDisplay, make_display
from study.running.events import EpochEnded, RunBegun, SlotFreed, StageBegun, TrialEnded
from tests.study.small_searches import search

PROGRAM = Path(__file__).parents[3] / "study" / "run_search.py"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


CONFIG = Config(epochs=40)


def report(epoch: int, value: float) -> EpochReport:
    return EpochReport(epoch, {}, {"recall@20": value}, True, 0.25)


def picture(display: LiveDisplay) -> str:
    console = Console(file=io.StringIO(), width=80)
    console.print(display.picture())
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def live() -> LiveDisplay:
    return LiveDisplay(Console(file=io.StringIO(), width=80))


def test_the_live_table_shows_what_runs_the_best_of_it_and_the_state_of_the_stage() -> None:
    display = live()
    display.hear(StageBegun("search", total=10, done=3))
    for epoch, value in enumerate((0.2, 0.3, 0.1)):
        display.hear(EpochEnded("a", "trial 4", CONFIG, report(epoch, value)))
    display.hear(EpochEnded("b", "trial 5", CONFIG, report(0, 0.05)))
    display.hear(RunBegun("c", "trial 6", CONFIG, 1))
    display.hear(TrialEnded("x", 3, "pruned", 0.2, {}, standing="best 0.4000 (trial 1), 1 pruned"))
    shown = picture(display)
    assert "search · 4/10 · best 0.4000 (trial 1), 1 pruned · about" in shown
    assert re.search(r"trial 4\s+3/40\s+0.1000\s+0.3000\s+0.25", shown)
    assert re.search(r"trial 5\s+1/40\s+0.0500\s+0.0500", shown)
    assert re.search(r"trial 6\s+0/40\s+–", shown)
    display.hear(SlotFreed("a", "complete"))
    assert "trial 4" not in picture(display)
    display.close()


def test_a_stage_without_runs_shows_its_name_and_no_header_of_an_empty_table(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("study.listeners.display.time.monotonic", lambda: now[0])
    display = live()
    display.hear(StageBegun("setting up synthetic"))
    assert picture(display).split() == ["setting", "up", "synthetic"]
    now[0] += 8.0
    assert picture(display).strip() == "setting up synthetic · for 8 s"
    display.close()


def test_nothing_is_drawn_before_anything_happened_and_nothing_stays_behind() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    display = LiveDisplay(console)
    display.close()
    assert console.file.getvalue() == ""  # type: ignore[attr-defined]


@pytest.mark.parametrize(("widgets", "expected"), [(True, LiveDisplay), (False, PlainDisplay)])
def test_in_a_notebook_the_table_is_live_too_where_it_has_widgets(
    widgets: bool, expected: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("study.listeners.display.Console", lambda: Console(force_jupyter=True, file=io.StringIO()))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if widgets else None)
    assert isinstance(make_display(), expected)


def test_plain_lines_hold_every_result_and_each_trial_has_a_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    display = PlainDisplay()
    display.hear(StageBegun("search", total=4))
    trials = search(tmp_path, 4, emit=display.hear).trials()
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
    command += ["--pruner", "none", "--no-finalize", "--set", "stopping_step=200", "--out"]
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

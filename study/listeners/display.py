"""What a study shows while it runs: a live table on a terminal or in a notebook, plain lines in a log, or nothing."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sea_core.config import Config
from sea_core.training.run import EpochReport
from study.listeners.listener import Listener
from study.records.durations import duration
from study.running.events import (
    EpochEnded,
    Note,
    RunBegun,
    RunEnded,
    RunEvent,
    SlotFreed,
    StageBegun,
    StudyEnded,
    TableWritten,
    TrialEnded,
    TrialPaused,
)

_PLAIN_SECONDS = 10.0  # between two lines about the epochs of one run
_SHOWN_AFTER = 2.0  # seconds: what takes less needs no clock


class PlainDisplay:
    """Lines on standard output: every result, and each run's progress now and then."""

    def __init__(self, print_line: Callable[[str], None] | None = None) -> None:
        """Take who prints a line; None is ``print``."""
        self._print_line = print_line or _print
        self._clock = _StageClock()
        self._spoke: dict[str, float] = {}

    def hear(self, event: RunEvent) -> None:
        """See ``Listener``."""
        match event:
            case Note():
                self._print_line(event.line)
            case StageBegun():
                self._clock = _StageClock(event.title, event.total, event.done)
                self._print_line(event.title)
            case TrialEnded() | RunEnded():
                self._clock.done += 1
                facts = [self._clock.count(), event.standing if isinstance(event, TrialEnded) else ""]
                self._print_line(f"{event}  [{', '.join(fact for fact in facts if fact)}]")
            case TrialPaused():
                self._print_line(f"{event}  [{event.standing}]" if event.standing else str(event))
            case EpochEnded():
                last = self._spoke.setdefault(event.key, time.monotonic())
                if time.monotonic() - last >= _PLAIN_SECONDS:
                    self._spoke[event.key] = time.monotonic()
                    self._print_line(f"  {event.label}: {_epoch_text(event.report, event.config)}")
            case SlotFreed():
                self._spoke.pop(event.key, None)
            case _:
                pass

    def close(self) -> None:
        """See ``Listener``."""


class LiveDisplay:
    """What is going on now, in a table that is drawn over and over, below the lines that stay."""

    def __init__(self, console: Console) -> None:
        """Take the terminal, or the notebook's cell; the first event makes the table appear."""
        self._clock = _StageClock()
        self._standing = ""
        self._running: dict[str, _Shown] = {}
        self._live = Live(
            console=console, auto_refresh=True, refresh_per_second=4, transient=True, get_renderable=self.picture
        )

    def hear(self, event: RunEvent) -> None:
        """See ``Listener``."""
        self._live.start()  # again and again does nothing
        match event:
            case Note():
                self._keep(event.line)
            case StageBegun():
                self._clock, self._standing = _StageClock(event.title, event.total, event.done), ""
            case RunBegun():
                self._running[event.key] = _Shown(event.label, event.config)
            case EpochEnded():
                self._running.setdefault(event.key, _Shown(event.label, event.config)).take(event.report)
            case TrialEnded() | RunEnded():
                self._clock.done += 1
                self._standing = event.standing if isinstance(event, TrialEnded) else ""
                self._keep(str(event))
            case TrialPaused():
                self._standing = event.standing
                self._keep(str(event))
            case TableWritten():
                self._clock.done += 1
            case SlotFreed():
                self._running.pop(event.key, None)
            case StudyEnded():
                self._running.clear()
            case _:
                pass

    def close(self) -> None:
        """See ``Listener``."""
        self._running.clear()
        if self._live.is_started:
            self._live.stop()

    def picture(self) -> Group:
        """What is shown now: the stage with its clock, and a line for each run that has a slot."""
        parts = (self._clock.title, self._clock.count(), self._standing, self._clock.remaining() or self._clock.age())
        heading = Text(" · ".join(part for part in parts if part))
        shown = list(self._running.values())
        if not shown:
            return Group(heading)
        table = Table(box=None, pad_edge=False)
        for column in ("running", "epoch", "now", "best", "s/epoch"):
            table.add_column(column, justify="left" if column == "running" else "right", no_wrap=True)
        for run in shown:
            table.add_row(*run.cells())
        return Group(heading, table)

    def _keep(self, line: str) -> None:
        self._live.console.print(Text(line), soft_wrap=True)


@dataclass
class _Shown:
    """A run in the live table."""

    label: str
    config: Config
    last: EpochReport | None = None
    best: float = float("-inf")

    def take(self, report: EpochReport) -> None:
        self.last, self.best = report, max(report.validation[self.config.valid_metric], self.best)

    def cells(self) -> list[Text]:
        if self.last is None:
            return [Text(self.label), Text(f"0/{self.config.epochs}"), Text("–"), Text("–"), Text("–")]
        now = self.last.validation[self.config.valid_metric]
        numbers = (f"{now:.4f}", f"{self.best:.4f}", f"{self.last.seconds:.2f}")
        return [Text(self.label), Text(f"{self.last.epoch + 1}/{self.config.epochs}"), *map(Text, numbers)]


class _StageClock:
    """Counts a stage's runs and extrapolates their pace."""

    def __init__(self, title: str = "", total: int | None = None, done: int = 0) -> None:
        self.title, self.total, self.done = title, total, done
        self._begun, self._done_before = time.monotonic(), done

    def count(self) -> str:
        return "" if self.total is None else f"{self.done}/{self.total}"

    def age(self) -> str:
        """How long the stage has gone on, once that is worth a word."""
        seconds = time.monotonic() - self._begun
        return "" if not self.title or seconds < _SHOWN_AFTER else f"for {duration(seconds)}"

    def remaining(self) -> str:
        finished_here = self.done - self._done_before
        if self.total is None or finished_here == 0 or self.done >= self.total:
            return ""
        pace = (time.monotonic() - self._begun) / finished_here
        return f"about {duration(pace * (self.total - self.done))} left"


def make_display() -> Listener:
    """The display for this process's standard output."""
    live = sys.stdout.isatty() or _in_notebook()
    return LiveDisplay(Console()) if live else PlainDisplay()


def _in_notebook() -> bool:
    """Whether output goes to a cell, where rich draws over what it drew before; it needs ipywidgets for that."""
    return Console().is_jupyter and importlib.util.find_spec("ipywidgets") is not None


def _epoch_text(report: EpochReport, config: Config) -> str:
    value = report.validation[config.valid_metric]
    return f"epoch {report.epoch + 1}/{config.epochs}, {config.valid_metric} {value:.4f}, {report.seconds:.2f} s/epoch"


def _print(line: str) -> None:
    print(line, flush=True)

"""What a study shows while it runs: a live table on a terminal, plain lines in a log, or nothing."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sea_core.config import Config
from sea_core.training.run import EpochReport
from study.records.durations import duration

_PLAIN_SECONDS = 10.0  # between two lines about the epochs of one run


class Display:
    """Says nothing: the quiet display, and the others' base."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def say(self, line: str) -> None:
        """A line that stays."""

    def stage(self, title: str, *, total: int | None = None, done: int = 0) -> None:
        """A part of the study begins, with ``done`` of ``total`` runs behind it."""

    def result(self, line: str, *, status: str = "") -> None:
        """A run of the stage ended; ``status`` sums up the stage so far."""

    def epoch(self, key: str, label: str, report: EpochReport, config: Config) -> None:
        """A run finished an epoch."""

    def gone(self, key: str) -> None:
        """A run left its slot."""


class PlainDisplay(Display):
    """Lines on standard output: every result, and each run's progress now and then."""

    def __init__(self) -> None:
        self._clock = _StageClock()
        self._spoke: dict[str, float] = {}

    def say(self, line: str) -> None:
        """See ``Display``."""
        print(line, flush=True)

    def stage(self, title: str, *, total: int | None = None, done: int = 0) -> None:
        """See ``Display``."""
        self._clock = _StageClock(title, total, done)
        self.say(self._clock.heading())

    def result(self, line: str, *, status: str = "") -> None:
        """See ``Display``."""
        self._clock.done += 1
        self.say(f"{line}  [{self._clock.count()}{', ' if status else ''}{status}]")

    def epoch(self, key: str, label: str, report: EpochReport, config: Config) -> None:
        """See ``Display``."""
        last = self._spoke.setdefault(key, time.monotonic())
        if time.monotonic() - last >= _PLAIN_SECONDS:
            self._spoke[key] = time.monotonic()
            self.say(f"  {label}: {_epoch_text(report, config)}")

    def gone(self, key: str) -> None:
        """See ``Display``."""
        self._spoke.pop(key, None)


class LiveDisplay(Display):
    """A table of what is running, below the lines that stay."""

    def __init__(self, console: Console) -> None:
        self._clock = _StageClock()
        self._status = ""
        self._running: dict[str, tuple[str, EpochReport, Config, float]] = {}
        # Last: it draws at once.
        self._live = Live(console=console, refresh_per_second=4, transient=True, get_renderable=self._render)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.clear()
        self._live.stop()

    def say(self, line: str) -> None:
        """See ``Display``."""
        self._live.console.print(Text(line), soft_wrap=True)

    def stage(self, title: str, *, total: int | None = None, done: int = 0) -> None:
        """See ``Display``."""
        self._clock, self._status = _StageClock(title, total, done), ""

    def result(self, line: str, *, status: str = "") -> None:
        """See ``Display``."""
        self._clock.done += 1
        self._status = status
        self.say(line)

    def epoch(self, key: str, label: str, report: EpochReport, config: Config) -> None:
        """See ``Display``."""
        best = max(report.validation[config.valid_metric], self._running[key][3] if key in self._running else 0.0)
        self._running[key] = (label, report, config, best)

    def gone(self, key: str) -> None:
        """See ``Display``."""
        self._running.pop(key, None)

    def _render(self) -> Group:
        table = Table(box=None, pad_edge=False)
        for heading in ("running", "epoch", "now", "best", "s/epoch"):
            table.add_column(heading, justify="left" if heading == "running" else "right")
        for label, report, config, best in list(self._running.values()):
            now = report.validation[config.valid_metric]
            epoch = f"{report.epoch + 1}/{config.epochs}"
            table.add_row(Text(label), epoch, f"{now:.4f}", f"{best:.4f}", f"{report.seconds:.2f}")
        parts = (self._clock.heading(), self._clock.count(), self._status, self._clock.remaining())
        return Group(Text(" · ".join(part for part in parts if part)), table)


class _StageClock:
    """Counts a stage's runs and extrapolates their pace."""

    def __init__(self, title: str = "", total: int | None = None, done: int = 0) -> None:
        self.title, self.total, self.done = title, total, done
        self._begun, self._done_before = time.monotonic(), done

    def heading(self) -> str:
        return self.title

    def count(self) -> str:
        return "" if self.total is None else f"{self.done}/{self.total}"

    def remaining(self) -> str:
        finished_here = self.done - self._done_before
        if self.total is None or finished_here == 0 or self.done >= self.total:
            return ""
        pace = (time.monotonic() - self._begun) / finished_here
        return f"about {duration(pace * (self.total - self.done))} left"


def make_display(*, quiet: bool) -> Display:
    """The display for this process's standard output."""
    if quiet:
        return Display()
    return LiveDisplay(Console()) if sys.stdout.isatty() else PlainDisplay()


def _epoch_text(report: EpochReport, config: Config) -> str:
    value = report.validation[config.valid_metric]
    return f"epoch {report.epoch + 1}/{config.epochs}, {config.valid_metric} {value:.4f}, {report.seconds:.2f} s/epoch"

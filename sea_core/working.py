"""A line that says what a program is doing, on a terminal only, for what takes longer than a moment."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner

_AFTER = 1.0  # seconds: what is done by then needs no word


@contextlib.contextmanager
def working(text: str, console: Console | None = None) -> Iterator[None]:
    """Within the block, after a second, show ``text`` with something that moves; nothing of it stays.

    It goes to standard error, and nowhere if that is no terminal.
    """
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    # What the block prints goes where it always goes: standard output may be a pipe.
    shown = Live(Spinner("dots", text), console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
    timer = threading.Timer(_AFTER, shown.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        shown.stop()

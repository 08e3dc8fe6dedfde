"""Ctrl-C that finishes the epoch first: once asks to stop, twice stops now.

A program that hangs in compiled code hears neither. So SIGTERM, which schedulers send before they kill, and a second
Ctrl-C set a limit: ten seconds later the process ends whatever it is doing. Checkpoints are written at epochs' ends, at
most every 30 s, so the same command loses little.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_PATIENCE = 10.0  # seconds that a stop may take once someone insists
_INTERRUPTED = 130


class StopRequest:
    """Whether the user, or a scheduler that sends SIGTERM, has asked to stop."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def graceful_stop() -> Iterator[StopRequest]:
    """Within the block the first Ctrl-C or SIGTERM sets ``asked``; the second raises ``KeyboardInterrupt`` at once.

    Ten seconds after the first SIGTERM, or after the second signal, the process ends with code 130, or with SIGALRM if
    compiled code lets no Python run. Leaving the block lifts that limit.

    Signals reach Python's main thread only, so elsewhere the block changes nothing.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    limit = _TimeLimit()

    def handle(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGTERM or request.asked:
            limit.start()
        if request.asked:
            raise KeyboardInterrupt
        request.asked = True
        print("\nstopping after this epoch; press Ctrl-C again to stop now", file=sys.stderr, flush=True)

    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        limit.lift()


class _TimeLimit:
    """Ends the process some seconds after its start unless it is lifted."""

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None

    def start(self) -> None:
        """Begin to count, once."""
        if self._timer is not None:
            return
        self._timer = threading.Timer(_PATIENCE, self._end)
        self._timer.daemon = True
        self._timer.start()
        if hasattr(signal, "setitimer"):  # the system's own clock, for code that never lets another thread run
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, _PATIENCE + 1)

    def lift(self) -> None:
        """Let the process live."""
        if self._timer is None:
            return
        self._timer.cancel()
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _end(self) -> None:
        text = (
            f"no epoch ended within {_PATIENCE:.0f} s, so this ends now; the same command goes on from its checkpoints"
        )
        os.write(2, f"{text}\n".encode())  # Python's own streams may be locked by the code that hangs
        os._exit(_INTERRUPTED)


@contextmanager
def no_interrupt_lost() -> Iterator[None]:
    """Within the block a ``KeyboardInterrupt`` where Python may not raise comes again a moment later.

    In the callback of a weak reference, say, Python would print a traceback and go on as if nobody had pressed Ctrl-C.
    """

    def press_again(unraisable: sys.UnraisableHookArgs) -> None:
        if unraisable.exc_type is KeyboardInterrupt:
            threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGINT)).start()
        else:
            report(unraisable)

    report, sys.unraisablehook = sys.unraisablehook, press_again
    try:
        yield
    finally:
        sys.unraisablehook = report


def ignore_interrupts() -> None:
    """Let Ctrl-C do nothing from now on: it would break off the interpreter's clearing up, with tracebacks."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)

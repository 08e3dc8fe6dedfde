"""Ctrl-C that finishes the epoch first: once asks to stop, twice stops now."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """Whether the user, or a scheduler that sends SIGTERM, has asked to stop."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def graceful_stop() -> Iterator[StopRequest]:
    """Within the block the first Ctrl-C or SIGTERM sets ``asked``; the second raises ``KeyboardInterrupt`` at once.

    Signals reach Python's main thread only, so elsewhere the block changes nothing.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def handle(number: int, frame: FrameType | None) -> None:
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

"""Ctrl-C that finishes the epoch first: once asks to stop, twice stops now."""

from __future__ import annotations

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

"""What a listener must answer. A new one is a class in a file of its own that registers how it is made."""

from __future__ import annotations

from typing import Protocol

from study.running.events import RunEvent


class Listener(Protocol):
    """Hears all that happens in one study, in its order, in the driver's process.

    It is made before the study begins and closed in the end, also when the study fails. It must be quick: the driver
    waits. If it raises, the study goes on without it.
    """

    def hear(self, event: RunEvent) -> None:
        """Take note of an event; kinds that mean nothing to the listener, or that are newer than it, it passes over."""

    def close(self) -> None:
        """Leave everything in order; nothing is heard afterwards."""

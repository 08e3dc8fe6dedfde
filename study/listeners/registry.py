"""The listeners there are: those of this package's files, and those that plugins register."""

from __future__ import annotations

from collections.abc import Callable

from sea_core.registry import Registry
from study.listeners.listener import Listener

MakeListener = Callable[[str], Listener]

# Name -> what makes one for a study, of the text behind the colon in ``--listener NAME:TEXT`` (empty if there is none).
# It raises UserError if that text, or a library that is not installed, makes it impossible.
LISTENERS: Registry[MakeListener] = Registry("listener", package="study.listeners")


def register_listener(name: str) -> Callable[[MakeListener], MakeListener]:
    """Make a class, or a function that makes a listener, known under a name."""
    return LISTENERS.add(name)

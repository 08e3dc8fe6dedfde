"""From names on a command line to a study's listeners."""

from __future__ import annotations

from collections.abc import Sequence

from sea_core.errors import UserError
from study.listeners.display import make_display
from study.listeners.hub import Hub
from study.listeners.listener import Listener
from study.listeners.registry import LISTENERS


def check_listeners(wanted: Sequence[str]) -> None:
    """See that every name is known, before anything is trained.

    Raises:
        UserError: an unknown name, or one given twice.
    """
    names = [text.partition(":")[0] for text in wanted]
    for name in names:
        LISTENERS.find(name)
        if names.count(name) > 1:
            raise UserError(f"--listener {name} is given {names.count(name)} times; give it once")


def listening(wanted: Sequence[str], *, quiet: bool) -> Hub:
    """The display, unless ``quiet``, and the listeners ``wanted``, as ``NAME`` or ``NAME:TEXT``; close it in the end.

    Raises:
        UserError: an unknown name, a text the listener cannot use, or a library that is not installed.
    """
    check_listeners(wanted)
    listeners: dict[str, Listener] = {} if quiet else {"display": make_display()}
    for text in wanted:
        name, _, argument = text.partition(":")
        listeners[name] = LISTENERS[name](argument)
    return Hub(listeners)

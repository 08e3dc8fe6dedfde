"""For tests with arbitrary input: it loads, or it is refused in one line; nothing else may happen."""

from collections.abc import Callable
from typing import TypeVar

from sea_core.errors import UserError

Value = TypeVar("Value")


def value_or_refusal(load: Callable[[], Value]) -> Value | None:
    """What was loaded, or None where the input was refused."""
    try:
        return load()
    except UserError as error:
        if len(str(error).splitlines()) == 1:
            return None
        raise

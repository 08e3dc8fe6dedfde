"""Interleaved timing: A B A B ..., so that a busy moment of the machine falls on all sides of a ratio."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple


class Timing(NamedTuple):
    """Wall seconds of one thing, over the rounds."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one, which is what ratios are taken of."""
        return statistics.median(self.seconds)

    def __str__(self) -> str:
        low, high = min(self.seconds), max(self.seconds)
        return f"{self.median:8.4f} s   ({low:.4f} to {high:.4f}, {len(self.seconds)} rounds)"


def interleave(functions: Mapping[str, Callable[[], object]], *, rounds: int, warm_up: int = 1) -> dict[str, Timing]:
    """Time each function once per round, in turn; the warm-up rounds are not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for round_number in range(warm_up + rounds):
        for name, function in functions.items():
            started = time.perf_counter()
            function()
            if round_number >= warm_up:
                seconds[name].append(time.perf_counter() - started)
    return {name: Timing(tuple(values)) for name, values in seconds.items()}

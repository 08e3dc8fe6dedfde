"""What a search may cost: whole runs, epochs or time, as ``--budget`` says it. Nothing heavy is imported here."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from sea_core.errors import UserError
from study.records.durations import duration

_UNITS: dict[str, tuple[Literal["runs", "epochs", "seconds"], float]] = {
    "x": ("runs", 1),
    "epochs": ("epochs", 1),
    "s": ("seconds", 1),
    "min": ("seconds", 60),
    "h": ("seconds", 3600),
    "d": ("seconds", 86400),
}
_FORM = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")


class Cost(NamedTuple):
    """An amount of training.

    Attributes:
        amount: how much.
        unit: ``runs`` (of the base configuration, trained until it stops), ``epochs``, or ``seconds`` of training.
    """

    amount: float
    unit: Literal["runs", "epochs", "seconds"]

    def __str__(self) -> str:
        if self.unit == "seconds":
            return f"{duration(self.amount)} of training"
        return f"{self.amount:g} whole runs" if self.unit == "runs" else f"{self.amount:g} epochs"


def parse_cost(text: str) -> Cost:
    """Read ``20x``, ``2000epochs``, ``30min``, ``1.5h``.

    Raises:
        UserError: another form, or less than one run.
    """
    match = _FORM.fullmatch(text.strip().lower())
    if match is None or match.group(2) not in _UNITS:
        raise UserError(f"--budget must be like 20x, 2000epochs, 30min or 1.5h, got '{text}'")
    unit, size = _UNITS[match.group(2)]
    cost = Cost(float(match.group(1)) * size, unit)
    if cost.amount <= 0 or (unit != "seconds" and cost.amount < 1):
        raise UserError(
            f"--budget {text} is less than one {'run' if unit == 'runs' else 'epoch' if unit == 'epochs' else 'second'}"
            "; the base configuration alone takes a whole run: give 2x or more, 20x as a rule"
        )
    return cost

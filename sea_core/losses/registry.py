"""The losses a config can name: one file each beside this one, and those that plugins register."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from sea_core.registry import Registry

NONE = "none"  # the part is removed: neither built, drawn nor fitted
CLUB = "club"  # the one distancing loss with a net of its own, see layers/separation.py


class Alignment(Protocol):
    """Pulls what two modalities have in common together."""

    def __call__(self, rows: Tensor, columns: Tensor, /, *, temperature: float) -> Tensor:
        """The loss of ``(N, d)`` and ``(N, d)``, whose rows belong together; a scalar to minimise, in nats."""


class Distancing(Protocol):
    """Pushes an item's generic and unique parts apart."""

    def __call__(self, generic: Tensor, unique: Tensor, /) -> Tensor:
        """The loss of ``(N, d)`` and ``(N, d)``; a scalar to minimise."""


ALIGNMENTS: Registry[Alignment] = Registry("alignment loss", package="sea_core.losses", reserved=(NONE,))
DISTANCINGS: Registry[Distancing] = Registry("distancing loss", package="sea_core.losses", reserved=(NONE, CLUB))


def alignment_names() -> list[str]:
    """Legal values of the config field ``alignment``."""
    return [*sorted(ALIGNMENTS), NONE]


def distancing_names() -> list[str]:
    """Legal values of the config field ``distancing``."""
    return [CLUB, *sorted(DISTANCINGS), NONE]

"""The losses a config can name. A new loss is one file beside this one and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from sea_core.losses.negative_l2 import negative_l2
from sea_core.losses.orthogonal import orthogonal
from sea_core.losses.solosim import solosim
from sea_core.losses.subtraction import subtraction
from sea_core.losses.symmetric_infonce import symmetric_infonce

NONE = "none"  # the part is removed: neither built, drawn nor fitted
CLUB = "club"  # the one distancing loss with a net of its own, see model/separation.py

# (rows (N, d), columns (N, d), temperature=...) -> scalar
ALIGNMENTS: Mapping[str, Callable[..., Tensor]] = {
    "solosim": solosim,
    "symmetric_infonce": symmetric_infonce,
}

# (generic (N, d), unique (N, d)) -> scalar to minimise
DISTANCINGS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "negative_l2": negative_l2,
    "orthogonal": orthogonal,
    "subtraction": subtraction,
}


def alignment_names() -> list[str]:
    """Legal values of the config field ``alignment``."""
    return [*ALIGNMENTS, NONE]


def distancing_names() -> list[str]:
    """Legal values of the config field ``distancing``."""
    return [CLUB, *DISTANCINGS, NONE]

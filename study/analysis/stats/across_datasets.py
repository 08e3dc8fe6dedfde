"""A claim over several datasets says which: on all of them, on some, or on at least so many."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def on_all(p: Float[np.ndarray, " datasets"]) -> float:
    """p-value of "on every dataset": the largest one; no correction is needed.

    Source: Berger (1982), the intersection-union test.
    """
    _check(p)
    return float(p.max())


def on_at_least(p: Float[np.ndarray, " datasets"], count: int) -> float:
    """p-value of "on at least ``count`` of the datasets", whichever they are; 1 is "on some", all is ``on_all``.

    Source: Benjamini and Heller (2008), partial conjunction, with Bonferroni's ``(n - r + 1) p_(r)``.

    Raises:
        ValueError: ``count`` is not in 1..datasets.
    """
    _check(p)
    if not 1 <= count <= len(p):
        raise ValueError(f"count must be in 1..{len(p)}, got {count}")
    return float(min(1.0, (len(p) - count + 1) * np.sort(p)[count - 1]))


def shown_on(p: Float[np.ndarray, " datasets"], *, alpha: float = 0.05) -> int:
    """The most datasets of which "on at least so many" can be said at level ``alpha``; 0 if none.

    Asked from one upward and stopped at the first that fails, so no further correction is needed.
    """
    _check(p)
    shown = 0
    for count in range(1, len(p) + 1):
        if on_at_least(p, count) > alpha:
            break
        shown = count
    return shown


def _check(p: Float[np.ndarray, " datasets"]) -> None:
    if not len(p) or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"each of at least one dataset needs a p-value in 0..1, got {p}")

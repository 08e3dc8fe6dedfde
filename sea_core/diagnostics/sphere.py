"""Alignment and uniformity of representations on the unit sphere."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

_BLOCK = 1024


def alignment(x: Float[np.ndarray, "items dim"], y: Float[np.ndarray, "items dim"]) -> float:
    """Mean squared distance between matched rows, both L2-normalised here: 0 if equal, 2 if orthogonal, at most 4.

    Source: Wang and Isola (2020), with alpha = 2.

    Raises:
        ValueError: if a row is zero and so has no direction.
    """
    return float(np.square(unit_rows(x) - unit_rows(y)).sum(axis=1).mean())


def uniformity(x: Float[np.ndarray, "items dim"], *, t: float = 2.0) -> float:
    """Log of the mean Gaussian potential over pairs of items: 0 if collapsed to a point, lower if spread more evenly.

    Rows are L2-normalised here. Computed in blocks, never items x items in memory. Source: Wang and Isola (2020).

    Raises:
        ValueError: with fewer than 2 items, or if a row is zero.
    """
    rows = unit_rows(x)
    items = len(rows)
    if items < 2:
        raise ValueError(f"uniformity needs at least 2 items, got {items}")
    total = 0.0
    for start in range(0, items, _BLOCK):
        cosine = rows[start : start + _BLOCK] @ rows.T
        total += float(np.exp(2 * t * (cosine - 1)).sum())
    return math.log((total - items) / (items * (items - 1)))  # an item's potential with itself is 1


def unit_rows(x: Float[np.ndarray, "items dim"]) -> Float[np.ndarray, "items dim"]:
    """Rows scaled to length 1, in double precision.

    Raises:
        ValueError: if a row is zero.
    """
    rows = x.astype(np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    if not norms.all():
        raise ValueError(f"{int((norms == 0).sum())} of {len(rows)} rows are zero and have no direction")
    return np.asarray(rows / norms)

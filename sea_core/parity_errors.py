"""How far a replay is from its record."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sea_core.errors import UserError


@dataclass
class Errors:
    """Largest absolute and relative error seen of one quantity.

    Attributes:
        is_relative: the tolerance is of the relative error.
        optional: a record may lack the quantity.
    """

    absolute: float = 0.0
    relative: float = 0.0
    compared: int = 0
    is_relative: bool = False
    optional: bool = False

    def add(self, actual: np.ndarray, expected: np.ndarray) -> None:
        """Compare two arrays of one shape; NaN counts as an infinite error."""
        if actual.shape != expected.shape:
            raise UserError(f"the record has shape {expected.shape} where the model has {actual.shape}")
        if expected.size == 0:
            return
        difference = np.abs(actual.astype(np.float64) - expected.astype(np.float64)).max()
        largest = float(np.nan_to_num(difference, nan=math.inf))
        self.absolute = max(self.absolute, largest)
        scale = float(np.abs(expected).max())
        if scale > 0:
            self.relative = max(self.relative, largest / scale)
        self.compared += expected.size

    def within(self, tolerance: float) -> bool:
        """Whether everything was compared and found close enough."""
        if self.compared == 0:
            return self.optional
        return (self.relative if self.is_relative else self.absolute) <= tolerance

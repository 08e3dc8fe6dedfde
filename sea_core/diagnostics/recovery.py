"""On planted data: do generic parts hold the shared factors, and unique parts the modality's own?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sea_core.diagnostics.probe import linear_probe_r2


class Recovery(NamedTuple):
    """Held-out linear R^2 of a modality's planted factors from its two parts.

    Attributes:
        shared_from_generic, unique_from_unique: high if the parts hold what they should.
        shared_from_unique, unique_from_generic: low if they hold nothing else.
    """

    shared_from_generic: float
    shared_from_unique: float
    unique_from_generic: float
    unique_from_unique: float

    @property
    def separation(self) -> float:
        """Mean of what is where it belongs minus what is not: 1 is a perfect split, 0 none, -1 the wrong way round."""
        right = self.shared_from_generic + self.unique_from_unique
        return (right - self.shared_from_unique - self.unique_from_generic) / 2


def factor_recovery(
    *,
    generic: Float[np.ndarray, "items generic_dim"],
    unique: Float[np.ndarray, "items unique_dim"],
    shared_factors: Float[np.ndarray, "items shared"],
    unique_factors: Float[np.ndarray, "items own"],
    rng: np.random.Generator,
) -> Recovery:
    """Probe both parts of one modality for the factors that generated its features (see ``linear_probe_r2``)."""
    return Recovery(
        shared_from_generic=linear_probe_r2(generic, shared_factors, rng=rng),
        shared_from_unique=linear_probe_r2(unique, shared_factors, rng=rng),
        unique_from_generic=linear_probe_r2(generic, unique_factors, rng=rng),
        unique_from_unique=linear_probe_r2(unique, unique_factors, rng=rng),
    )

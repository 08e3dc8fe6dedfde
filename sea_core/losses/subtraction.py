"""Separation by subtraction, ``q = e - g``: CLUB's other geometric rival."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from sea_core.losses.registry import DISTANCINGS


@DISTANCINGS.add("subtraction")
def subtraction(generic: Float[Tensor, "items dim"], unique: Float[Tensor, "items dim"]) -> Float[Tensor, ""]:
    """Mean squared deviation of the unique part from what subtracting the generic part from the whole leaves.

    SEA's parts are columns of one embedding ``e``, so the two linear heads side by side are one linear head on the
    whole: ``e`` reads as ``generic + unique``, and without normalisation ``q = e - g`` would hold for any weights.
    Whole and parts are L2-normalised here, as embeddings are before they are subtracted, and
    ``mean((q - (e - g))^2)`` over items and dimensions is 0 exactly where parts of equal length meet at 120 degrees:
    one angle and one ratio per item are all that it asks for.
    """
    whole = F.normalize(generic + unique, dim=1)
    return F.mse_loss(F.normalize(unique, dim=1), whole - F.normalize(generic, dim=1))

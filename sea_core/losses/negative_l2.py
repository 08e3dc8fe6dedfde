"""Negative squared distance: the cheap rival of CLUB."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from sea_core.losses.registry import DISTANCINGS


@DISTANCINGS.add("negative_l2")
def negative_l2(generic: Float[Tensor, "items dim"], unique: Float[Tensor, "items dim"]) -> Float[Tensor, ""]:
    """Minus the mean squared difference of the two parts, over items and dimensions (SEA's simple alternative).

    Rows are matched by index and L2-normalised here: between free linear heads the distance has no bound, and the loss
    would only grow the weights. The value lies in ``[-4 / dim, 0]``, lowest where the parts point in opposite ways.
    """
    return -F.mse_loss(F.normalize(generic, dim=1), F.normalize(unique, dim=1))

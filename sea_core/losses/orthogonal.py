"""The orthogonality penalty: separation by angle, CLUB's geometric rival."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from sea_core.losses.registry import DISTANCINGS


@DISTANCINGS.add("orthogonal")
def orthogonal(generic: Float[Tensor, "items dim"], unique: Float[Tensor, "items dim"]) -> Float[Tensor, ""]:
    """Mean over items of the squared cosine ``<g, q>^2`` between the two parts (SEA's argument against geometry).

    Rows are matched by index and L2-normalised here. The value lies in ``[0, 1]``; two random directions give
    ``1 / dim``, so there is little left to penalise for dimensions of 32 and more.
    """
    cosine = (F.normalize(generic, dim=1) * F.normalize(unique, dim=1)).sum(dim=1)
    return cosine.square().mean()

"""Bayesian personalised ranking."""

from __future__ import annotations

import math

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def bpr(
    positive: Float[Tensor, " pairs"], negative: Float[Tensor, " pairs"], *, log_base: str = "e"
) -> Float[Tensor, ""]:
    """Mean ``-log sigmoid(positive - negative)`` (Rendle et al., 2009), as a softplus so that it cannot overflow.

    Args:
        positive: scores of the observed items.
        negative: scores of the sampled items, matched by index.
        log_base: ``e`` (nats) or ``2`` (bits, as in SEA's released code).
    """
    loss = F.softplus(negative - positive).mean()
    return loss / math.log(2) if log_base == "2" else loss

"""Regularisers of the embeddings that a batch reads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def embedding_norms(rows: Sequence[Float[Tensor, "pairs _"]], *, form: str = "norms") -> Float[Tensor, ""]:
    """The length of a batch's embeddings, repeats included.

    Args:
        rows: for each of user, positive and negative item, one row per pair.
        form: ``norms``: the sum of the tables' Frobenius norms, over the batch size (MMRec). ``squared``: half the sum
            of their squares, over the batch size (Rendle et al., 2009; He et al., 2020).
    """
    pairs = len(rows[0])
    norms = torch.stack([torch.linalg.vector_norm(each) for each in rows])
    return norms.sum() / pairs if form == "norms" else norms.square().sum() / (2 * pairs)

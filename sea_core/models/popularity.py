"""Popularity: everybody is recommended what most users chose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sea_core.evaluation.full_ranking import Scorer
from sea_core.models.protocol import UntrainedModel
from sea_core.models.registry import register


@register
class Popularity(UntrainedModel):
    """Everybody's list is the same but for what they have already."""

    name = "popularity"
    title = "Popularity"
    paper = "the plainest comparison; no paper"
    reads: ClassVar[frozenset[str]] = frozenset()
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"plain": {}}

    def scorer(self, inputs: sp.csr_array) -> Scorer:
        """See ``popularity_scorer``."""
        return popularity_scorer(inputs)


def popularity_scorer(train_matrix: sp.csr_array) -> Scorer:
    """Score an item by the number of users who have it in the binary ``(users, items)`` training matrix."""
    users_per_item = np.bincount(train_matrix.indices, minlength=train_matrix.shape[1])
    popularity = torch.from_numpy(users_per_item.astype(np.float32))

    def scorer(users: Int[Tensor, " users"]) -> Float[Tensor, "users items"]:
        return popularity.to(users.device).expand(len(users), -1)

    return scorer

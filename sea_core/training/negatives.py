"""Uniform negative sampling."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor

from sea_core.data.dataset import Interactions
from sea_core.errors import UserError

_REJECTION_ROUNDS = 50  # beyond it a pending user rejects nearly everything


class NegativeSampler:
    """One negative per positive: uniform over the items seen in training, rejected while the user knows it."""

    def __init__(self, train: Interactions, *, users: int, items: int) -> None:
        """Index the training pairs.

        Raises:
            UserError: a user has interacted with every item seen in training, so that no negative exists.
        """
        user, item = torch.from_numpy(train.user), torch.from_numpy(train.item)
        self._items = items
        self._candidates = torch.unique(item)
        self._pairs = torch.unique(user * items + item)  # sorted, for the binary search
        seen = torch.bincount(self._pairs // items, minlength=users)
        full = torch.nonzero(seen >= len(self._candidates)).flatten()
        if len(full) > 0:
            raise UserError(
                f"user {int(full[0])} has interacted with all {len(self._candidates)} training items, "
                "so no negative item exists; remove the user or some of its rows"
            )

    def sample(self, user: Int[Tensor, " pairs"], generator: torch.Generator) -> Int[Tensor, " pairs"]:
        """Draw one negative item for each entry of ``user``."""
        negative = self._draw(len(user), generator)
        pending = torch.arange(len(user))
        for _ in range(_REJECTION_ROUNDS):
            pending = pending[self._interacted(user[pending], negative[pending])]
            if len(pending) == 0:
                return negative
            negative[pending] = self._draw(len(pending), generator)
        # Users who know almost the whole catalogue would be rejected for ever: draw from what is left to them.
        for index in pending.tolist():
            free = self._candidates[~self._interacted(user[index], self._candidates)]
            negative[index] = free[torch.randint(len(free), (1,), generator=generator)]
        return negative

    def _draw(self, count: int, generator: torch.Generator) -> Int[Tensor, " count"]:
        return self._candidates[torch.randint(len(self._candidates), (count,), generator=generator)]

    def _interacted(self, user: Tensor, item: Tensor) -> Tensor:
        key = user * self._items + item
        position = torch.searchsorted(self._pairs, key).clamp_(max=len(self._pairs) - 1)
        return self._pairs[position] == key

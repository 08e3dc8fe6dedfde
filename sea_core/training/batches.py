"""An epoch's shuffled batches with their negatives."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from sea_core.data.dataset import Interactions
from sea_core.models.protocol import Batch
from sea_core.streams import stream
from sea_core.training.negatives import NegativeSampler


class EpochBatches:
    """Batches of an epoch, a function of (seed, epoch) alone.

    Nothing is carried from one epoch to the next, so a resumed run draws what an undisturbed one draws.
    """

    def __init__(
        self,
        train: Interactions,
        *,
        users: int,
        items: int,
        batch_size: int,
        seed: int,
        device: str | torch.device,
        negatives_seed: int | None = None,
    ) -> None:
        """Batches and negatives draw from ``seed``; the negatives from ``negatives_seed`` where one is given.

        More than six parameters: sizes and seeds by name, so that a batch is a function of them and of nothing else.
        """
        self._negatives_seed = seed if negatives_seed is None else negatives_seed
        self._user, self._item = torch.from_numpy(train.user), torch.from_numpy(train.item)
        self._sampler = NegativeSampler(train, users=users, items=items)
        self._batch_size, self._seed, self._device = batch_size, seed, device

    def __len__(self) -> int:
        """Batches per epoch; the last may be smaller."""
        return -(-len(self._user) // self._batch_size)

    def of_epoch(self, epoch: int) -> Iterator[Batch]:
        """Shuffled batches; the streams are ``batches/<epoch>`` and ``negatives/<epoch>``."""
        order = torch.randperm(len(self._user), generator=stream(self._seed, f"batches/{epoch}"))
        user, positive = self._user[order], self._item[order]
        negative = self._sampler.sample(user, stream(self._negatives_seed, f"negatives/{epoch}"))
        columns = [
            tensor.to(self._device, non_blocking=True).split(self._batch_size) for tensor in (user, positive, negative)
        ]
        for rows in zip(*columns, strict=True):
            yield Batch(*rows)

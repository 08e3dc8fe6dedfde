"""An epoch's shuffled batches with their negatives, and the random choices of each step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from sea_core.config import Config
from sea_core.data.dataset import Interactions
from sea_core.losses.registry import CLUB
from sea_core.model.sea import Batch, Draws
from sea_core.streams import stream
from sea_core.training.negatives import NegativeSampler


class EpochBatches:
    """Batches of an epoch, a function of (seed, epoch) alone.

    Nothing is carried from one epoch to the next, so a resumed run draws what an undisturbed one draws.
    """

    def __init__(
        self, train: Interactions, *, users: int, items: int, batch_size: int, seed: int, device: str | torch.device
    ) -> None:
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
        negative = self._sampler.sample(user, stream(self._seed, f"negatives/{epoch}"))
        columns = [
            tensor.to(self._device, non_blocking=True).split(self._batch_size) for tensor in (user, positive, negative)
        ]
        for rows in zip(*columns, strict=True):
            yield Batch(*rows)


class EpochDraws:
    """CLUB permutations and item samples of an epoch's steps (streams ``club/<epoch>/...``, ``items/<epoch>/...``)."""

    def __init__(
        self,
        config: Config,
        *,
        modalities: Sequence[str],
        items: int,
        seed: int,
        epoch: int,
        device: str | torch.device,
    ) -> None:
        self._config, self._items, self._device = config, items, device
        fits = modalities if config.distancing == CLUB else ()
        self._permutation_streams = {m: stream(seed, f"club/{epoch}/{m}") for m in fits}
        self._alignment_stream = stream(seed, f"items/{epoch}/alignment")
        self._distance_stream = stream(seed, f"items/{epoch}/distance")

    def of_step(self, batch: Batch) -> Draws:
        """The draws of the next step, given its batch."""
        alignment_items = self._sample(self._config.alignment_items, batch, self._alignment_stream)
        distance_items = self._sample(self._config.distance_items, batch, self._distance_stream)
        count = self._items if distance_items is None else len(distance_items)
        permutations = {
            m: torch.randperm(count, generator=generator).to(self._device)
            for m, generator in self._permutation_streams.items()
        }
        return Draws(permutations, alignment_items, distance_items)

    def _sample(self, choice: str, batch: Batch, generator: torch.Generator) -> Int[Tensor, " sampled"] | None:
        if choice == "all":
            return None
        if choice == "batch":
            return torch.unique(torch.cat([batch.positive, batch.negative]))
        count = int(choice.removeprefix("sample:"))
        if count >= self._items:
            return None
        return torch.randperm(self._items, generator=generator)[:count].sort().values.to(self._device)

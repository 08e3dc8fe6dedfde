"""The random choices of the separation's losses, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from sea_core.config import Config
from sea_core.losses.registry import CLUB
from sea_core.models.protocol import Batch
from sea_core.streams import stream


class Draws(NamedTuple):
    """The random choices of one step beside its batch.

    Attributes:
        permutations: modality -> permutation of the items that enter the distancing loss (CLUB's negative pairs).
        alignment_items, distance_items: ids of the items that enter each loss; None = all.
    """

    permutations: Mapping[str, Int[Tensor, " items"]]
    alignment_items: Int[Tensor, " sampled"] | None = None
    distance_items: Int[Tensor, " sampled"] | None = None


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

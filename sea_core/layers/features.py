"""The raw features as the model reads them: at the chosen rank and precision.

With ``feature_rank`` r, the features ``F`` (items x d) are replaced by their coordinates ``C = F V`` in the r leading
right singular vectors ``V`` (d x r), and the projection ``W`` (d x d) by ``W V`` (d x r). Since ``F`` is close to
``C V^T``, ``F W^T`` is close to ``C (W V)^T``, and equal when r is the rank of ``F``: equal weights then give equal
losses, embeddings and gradients (``dW V``). What training learns still differs a little, because Adam scales each
coordinate by itself and these are other coordinates.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from sea_core.cache import cached_arrays
from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.layers.initialisation import empty_linear

# Part of the cache key: raise it when the basis of equal features changes.
VERSION = 1


class Features(NamedTuple):
    """What the model reads.

    Attributes:
        values: modality -> features, or their coordinates; bfloat16 if the precision is bf16.
        bases: modality -> ``V``, for those that are reduced.
    """

    values: Mapping[str, Float[Tensor, "items _"]]
    bases: Mapping[str, Float[Tensor, "raw rank"]]


def prepare_features(config: Config, dataset: Dataset, *, device: str | torch.device = "cpu") -> Features:
    """Reduce and round the raw features once, before training."""
    values, bases = {}, {}
    for m, raw in dataset.features.items():
        features = torch.from_numpy(raw)
        rank = min(config.feature_rank or raw.shape[1], *raw.shape)
        if config.feature_rank is not None and rank < raw.shape[1]:
            bases[m] = leading_directions(dataset, m, rank).to(device)
            features = features @ bases[m].cpu()
        values[m] = features.to(device, torch.bfloat16 if config.precision == "bf16" else torch.float32)
    return Features(values, bases)


def raw_features(dataset: Dataset, *, device: str | torch.device) -> Features:
    """The raw features as they are, in float32."""
    return Features({m: torch.from_numpy(raw).to(device, torch.float32) for m, raw in dataset.features.items()}, {})


def reduced(projection: nn.Linear, basis: Float[Tensor, "raw rank"]) -> nn.Linear:
    """The projection ``W V`` of coordinates that stands for the projection ``W`` of features."""
    layer = empty_linear(basis.shape[1], projection.out_features)
    with torch.no_grad():
        layer.weight.copy_(projection.weight @ basis.to(projection.weight))
        layer.bias.copy_(projection.bias)
    return layer


def leading_directions(dataset: Dataset, modality: str, rank: int) -> Float[Tensor, "raw rank"]:
    """Right singular vectors of a modality's largest singular values (randomised SVD, Halko et al. 2011), cached."""

    def build() -> dict[str, np.ndarray]:
        from sklearn.utils.extmath import randomized_svd

        _, _, directions = randomized_svd(dataset.features[modality], rank, n_iter=6, random_state=0)
        return {"basis": np.ascontiguousarray(directions.T, dtype=np.float32)}

    inputs = {"features": dataset.feature_hashes[modality], "rank": rank, "version": VERSION}
    return torch.from_numpy(cached_arrays("feature_bases", inputs, build)["basis"])

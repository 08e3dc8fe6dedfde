"""What the separation makes of items: generic and unique parts, and what the heads read from them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from sea_core.layers.separation import Separation


@torch.no_grad()
def separated_parts(
    separation: Separation, embeddings: Mapping[str, Float[Tensor, "chosen _"]]
) -> dict[str, Float[Tensor, "chosen _"]]:
    """Both parts of some items in every modality, and the heads' outputs, on the separation's device.

    Args:
        separation: at the weights of interest.
        embeddings: modality -> what the separation splits, for the chosen items; batch norm in the alignment heads is
            over these alone.

    Returns:
        ``generic/<modality>`` and ``unique/<modality>``, the columns of the split embedding before and after the split
        point; with a distancing loss ``generic_head/<modality>`` and ``unique_head/<modality>``, ``(items,
        distance_dim)``; with an alignment loss ``aligned/<modality>``, ``(items, align_out)``.
    """
    parts: dict[str, Tensor] = {}
    for m, embedding in embeddings.items():
        generic, unique = embedding.tensor_split([separation.splits[m]], dim=1)
        parts[f"generic/{m}"], parts[f"unique/{m}"] = generic, unique
        if separation.distances:
            parts[f"generic_head/{m}"] = separation.generic_head[m](generic)
            parts[f"unique_head/{m}"] = separation.unique_head[m](unique)
        if separation.aligns:
            head = separation.align_head[m]
            parts[f"aligned/{m}"] = head(head.layers[0](generic))  # type: ignore[index,operator]
    return parts

"""What the separation makes of items: generic and unique parts, and what the heads read from them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from sea_core.model.sea import SEA, Inputs


@torch.no_grad()
def item_parts(model: SEA, inputs: Inputs, items: Int[Tensor, " chosen"]) -> dict[str, Float[Tensor, "chosen _"]]:
    """Both parts of some items in every modality, and the heads' outputs, on the model's device.

    Args:
        model: at the weights of interest.
        inputs: its constants.
        items: ids of the items; batch norm in the alignment heads is over these alone.

    Returns:
        ``generic/<modality>`` and ``unique/<modality>``, the columns of the split embedding before and after the split
        point; with a distancing loss ``generic_head/<modality>`` and ``unique_head/<modality>``, ``(items,
        distance_dim)``; with an alignment loss ``aligned/<modality>``, ``(items, align_out)``.
    """
    separation = model.separation
    whole = None if model.splits_features else model.encode(inputs).item_parts
    parts: dict[str, Tensor] = {}
    for m in model.modalities:
        if whole is None:
            projection = model.projections[m]
            rows = inputs.features.values[m].index_select(0, items).to(projection.weight.dtype)  # type: ignore[arg-type]
            embedding = F.linear(rows, projection.weight, projection.bias)  # type: ignore[arg-type]
        else:
            embedding = whole[m].index_select(0, items)
        generic, unique = embedding.tensor_split([separation.splits[m]], dim=1)
        parts[f"generic/{m}"], parts[f"unique/{m}"] = generic, unique
        if separation.distances:
            parts[f"generic_head/{m}"] = separation.generic_head[m](generic)
            parts[f"unique_head/{m}"] = separation.unique_head[m](unique)
        if separation.aligns:
            head = separation.align_head[m]
            parts[f"aligned/{m}"] = head(head.layers[0](generic))  # type: ignore[index,operator]
    return parts

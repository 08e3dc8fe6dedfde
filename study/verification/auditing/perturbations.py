"""How each config field is changed, and next to which other settings the change must show.

Most fields need nothing here: a truth value is turned, a choice takes its next option, a whole number grows by one and
a number by half. ``CHANGES`` has the fields for which that is illegal or shows nothing on a tiny dataset.
"""

from __future__ import annotations

import contextlib
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from sea_core.config import Config
from sea_core.errors import UserError
from sea_core.graphs import item_item
from sea_core.models.registry import find_model, keys_unread
from study.verification.auditing.replaced import replaced

# Small enough for seconds, with every part switched on.
BASE: dict[str, Any] = {
    "latent_dim": 4,
    "item_mlp_hidden": 6,
    "align_hidden": 4,
    "align_out": 4,
    "distance_dim": 4,
    "club_hidden": 3,
    "club_steps": 2,
    "knn_k": 4,
    "batch_size": 64,
    "learning_rate": 0.01,
    "epochs": 3,
}


@contextlib.contextmanager
def _as_it_is() -> Iterator[None]:
    yield


@contextlib.contextmanager
def _short_sighted_search() -> Iterator[None]:
    """An approximate search that finds the first items. The real one is exact on so few, so nothing would be seen."""

    def first_items(features: Float[np.ndarray, "items dim"], k: int) -> Int[np.ndarray, "items k"]:
        return np.tile(np.arange(k), (len(features), 1))

    with replaced(item_item, nearest_items_approximately=first_items):
        yield


@dataclass(frozen=True)
class Change:
    """A field's other value.

    Attributes:
        value: it.
        beside: other fields' values, before and after.
        within: stands in for a part that shows nothing at this size, before and after.
    """

    value: Any
    beside: Mapping[str, Any] = field(default_factory=dict)
    within: Callable[[], contextlib.AbstractContextManager[None]] = _as_it_is


def base_config(config_class: type[Config], beside: Mapping[str, Any]) -> Config:
    """``BASE`` and ``beside``; of ``BASE`` what the model reads, and for the rest its default preset."""
    model = find_model(beside.get("model", config_class.model))
    small = {key: value for key, value in BASE.items() if key not in keys_unread(model)}
    return config_class.from_mapping({**small, **beside})


_SWAPPED = {"text": "text_feat.npy", "image": "image_feat.npy"}
CHANGES: dict[str, Change] = {
    "model": Change("item-knn", beside={"model": "popularity"}),
    "shrink": Change(5.0, beside={"model": "item-knn"}),
    "reg_weight": Change(1.0, beside={"model": "lightgcn"}),
    "regulariser": Change("squared", beside={"model": "lightgcn"}),
    "item_biases": Change(True, beside={"model": "vbpr"}),
    "edge_dropout": Change(0.5, beside={"model": "freedom"}),
    "modality_weight": Change(0.5, beside={"model": "freedom", "modality_weight": 0.1}),
    "train_features": Change(False, beside={"model": "freedom", "modality_weight": 0.1}),
    "separation_input": Change("own", beside={"model": "vbpr+sea"}),
    "weight_decay": Change(0.1),
    "clip_grad_norm": Change(1e-3),
    "learning_rate_decay_epochs": Change(1, beside={"learning_rate_decay": 0.5}),
    "modalities": Change(_SWAPPED),
    "feature_transform": Change({"image": "permute"}),
    "item_graph_weights": Change({"image": 0.5, "text": 0.5}),
    "neighbour_search": Change("nndescent", within=_short_sighted_search),
    "feature_rank": Change(3),
    "alignment": Change("none"),
    "alignment_items": Change("sample:10"),
    "distancing": Change("none"),
    "distance_items": Change("sample:10"),
    "club_learning_rate": Change(0.1),
    # At the first step the tiny dataset's bounds are negative, and a clamped bound has no gradient.
    "distance_weight": Change(0.5, beside={"club_clamp": False}),
    "adam_beta1": Change(0.5),
    "adam_beta2": Change(0.9),
    "adam_eps": Change(1e-2),
    # Runs long enough to end early.
    "stopping_step": Change(0, beside={"epochs": 12}),
    "stopping_decimals": Change(0, beside={"epochs": 12, "stopping_step": 1}),
    "metrics": Change(("recall@5",)),
    "valid_metric": Change("precision@1", beside={"epochs": 12}),
}


def change_of(config_class: type[Config], name: str) -> Change | None:
    """The change of a field: from ``CHANGES``, else by its kind, else None."""
    if name in CHANGES:
        return CHANGES[name]
    default = config_class(**BASE)
    value, kind = getattr(default, name), typing.get_type_hints(config_class)[name]
    for other in _others(value, kind):
        try:
            default.override(**{name: other})
        except UserError:
            continue
        return Change(other)
    return None


def _others(value: Any, kind: Any) -> list[Any]:
    """Values of a kind that may be legal and are not ``value``, likely ones first."""
    options = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    for option in options:
        if typing.get_origin(option) is Literal:
            return [choice for choice in typing.get_args(option) if choice != value]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, float):
        return [value * 1.5, value / 2, value + 0.1]
    return []

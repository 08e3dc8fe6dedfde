"""What a run is made of: one frozen, validated set of named choices.

Keys are flat. A ``Config`` and a seed determine a run; device, threads, paths and display settings are not part of it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import Field, asdict, dataclass, field, fields, replace
from typing import Any, Literal, Self

from sea_core.data.transforms import is_transform, transform_names
from sea_core.errors import UserError, suggest
from sea_core.evaluation.metrics import METRICS
from sea_core.losses.registry import alignment_names, distancing_names
from sea_core.models.registry import find_model, keys_unread, what_instead


def _choice(
    default: Any,
    doc: str,
    *,
    observable: str,
    check: Callable[[Any], bool] | None = None,
    rule: str | Callable[[], str] = "",
    group: str = "model",
) -> Any:
    """A config field with its one-line meaning, what it changes (see ``study/audit.py``), its legal range and readers.

    ``group`` says which models read it: ``every`` and ``evaluation``: all; ``training``: those that train;
    ``features``: those that read item features; ``model``: those that name it in ``Model.reads``.
    """
    metadata = {"doc": doc, "observable": observable, "check": check, "rule": rule, "group": group}
    return field(default=default, metadata=metadata)


def _positive(default: float | None, doc: str, *, observable: str, group: str = "model") -> Any:
    def check(value: float) -> bool:
        return value > 0 and math.isfinite(value)

    return _choice(default, doc, observable=observable, check=check, rule="> 0", group=group)


def _non_negative(default: float, doc: str, *, observable: str, group: str = "model") -> Any:
    def check(value: float) -> bool:
        return value >= 0 and math.isfinite(value)

    return _choice(default, doc, observable=observable, check=check, rule=">= 0", group=group)


def _text(rule: str | Callable[[], str]) -> str:
    """A rule's words; one that names registered parts is put together when it is asked for: plugins add some."""
    return rule if isinstance(rule, str) else rule()


def _sampled(value: str) -> bool:
    name, _, count = value.partition(":")
    return value in ("all", "batch") or (name == "sample" and count.isdecimal() and int(count) >= 2)


def _metric(value: str) -> bool:
    name, _, k = value.partition("@")
    return name in METRICS and k.isdecimal() and 1 <= int(k) <= _MOST_K


def _metrics(values: tuple[str, ...]) -> bool:
    return len(values) >= 1 and len(set(values)) == len(values) and all(map(_metric, values))


def _metric_rule() -> str:
    return f"one of {', '.join(METRICS)}, then @K, with K from 1 to {_MOST_K}"


# A whole number above its bound is a slip of the finger that would train for days, or for ever, not a wish.
_MOST_LAYERS, _MOST_STEPS, _MOST = 64, 100_000, 2**31 - 1
_MOST_K, _ALWAYS_K = 10_000, (10, 20)
_MOST_OF = {"gnn_layers": _MOST_LAYERS, "item_graph_layers": _MOST_LAYERS, "club_steps": _MOST_STEPS}


@dataclass(frozen=True)
class Config:
    """All choices of a run. The defaults are SEA's ``paper`` preset; sizes come from the data.

    Which fields a run has is its model's business (``Model.reads``): the others keep their defaults, and are left out
    of ``as_dict``.

    ``observable`` in a field's metadata names what moves when the field does: ``loss`` (of the first step),
    ``gradient`` (of the first step), ``prediction`` (scores after training) or ``stopping`` (epochs run).
    """

    model: str = _choice("sea", "what is trained (python -m sea_core models)", observable="prediction", group="every")

    # Data and graphs
    modalities: dict[str, str] | None = _choice(
        None,
        "ordered map name -> feature file; null takes the dataset's own (image, text in a folder)",
        observable="loss",
        check=lambda v: len(v) >= 1 and all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name) for name in v),
        rule="a map with at least one modality, named by letters, digits, - and _",
        group="features",
    )
    feature_transform: dict[str, str] | None = _choice(
        None,
        "map modality (or all) -> what is done to its features, as knock-out arms do; null leaves them alone",
        observable="loss",
        check=lambda v: len(v) >= 1 and all(is_transform(name) for name in v.values()),
        rule=lambda: (
            f"a map from modalities, or all, to one of {', '.join(transform_names())}, like {{image: permute}}"
        ),
        group="features",
    )
    knn_k: int = _choice(10, "neighbours an item keeps", observable="prediction", check=lambda v: v >= 1, rule=">= 1")
    image_weight: float = _choice(
        0.1,
        "item-graph weight of the first of two modalities; refused with more",
        observable="prediction",
        check=lambda v: 0 <= v <= 1,
        rule="in [0, 1]",
    )
    item_graph_weights: dict[str, float] | None = _choice(
        None,
        "item-graph weight per modality (sum 1); overrides image_weight; null with more than two: equal",
        observable="prediction",
        check=lambda v: all(w >= 0 for w in v.values()) and abs(sum(v.values()) - 1) < 1e-6,
        rule="non-negative weights that sum to 1",
    )
    neighbour_search: Literal["exact", "nndescent"] = _choice(
        "exact", "how the item graph's neighbours are found; nndescent is approximate", observable="prediction"
    )
    feature_rank: int | None = _choice(
        None, "truncated SVD of the raw features to this rank", observable="loss", check=lambda v: v >= 1, rule=">= 1"
    )

    shrink: float = _non_negative(
        20.0, "taken from similarities of items that few users share (item-knn)", observable="prediction"
    )

    # Backbone
    latent_dim: int = _positive(64, "size L of a modality's user and item embedding", observable="loss")
    item_mlp_hidden: int = _positive(256, "hidden size of the item MLP", observable="loss")
    gnn_layers: int = _choice(
        2, "user-item propagation layers; 0 removes the graph", observable="loss", check=lambda v: v >= 0, rule=">= 0"
    )
    item_graph_layers: int = _choice(
        1, "item-item propagation layers; 0 removes the graph", observable="loss", check=lambda v: v >= 0, rule=">= 0"
    )

    reg_weight: float = _non_negative(0.0, "weight of the regulariser of the batch's embeddings", observable="gradient")
    regulariser: Literal["norms", "squared"] = _choice(
        "norms",
        "three norms over the batch size, as MMRec has it, or half the mean squared norm, as papers have it",
        observable="loss",
    )
    item_biases: bool = _choice(
        False, "learn a bias per item and one of its features (VBPR's paper)", observable="prediction"
    )
    edge_dropout: float = _choice(
        0.0,
        "share of the user-item edges left out, drawn anew each epoch",
        observable="loss",
        check=lambda v: 0 <= v < 1,
        rule="in [0, 1)",
    )
    modality_weight: float = _non_negative(0.0, "weight of the BPR terms on projected features", observable="gradient")
    train_features: bool = _choice(
        True, "train the feature tables behind those terms, as MMRec does", observable="gradient"
    )

    # Separation: split, alignment, distancing
    split_stage: Literal["features", "representation"] = _choice(
        "features", "split the projected features, or the item rows the GNN learned", observable="loss"
    )
    separation_input: Literal["shared", "own"] = _choice(
        "shared",
        "what is split on another backbone: its own projection of a modality, or one beside it that nothing else reads",
        observable="loss",
    )
    split_ratio: float = _choice(
        0.5, "share of dimensions that are generic", observable="loss", check=lambda v: 0 < v < 1, rule="in (0, 1)"
    )
    alignment: str = _choice(
        "solosim",
        "loss that pulls generic parts together, or none",
        observable="loss",
        check=lambda v: v in alignment_names(),
        rule=lambda: f"one of {', '.join(alignment_names())}",
    )
    alignment_weight: float = _non_negative(0.012, "weight of the alignment loss", observable="gradient")
    temperature: float = _positive(0.2, "temperature of the alignment loss", observable="loss")
    alignment_items: str = _choice(
        "all",
        "items in the alignment loss: all, sample:N or batch",
        observable="loss",
        check=_sampled,
        rule="all, sample:N (N >= 2) or batch",
    )
    align_hidden: int = _positive(64, "hidden size of an alignment head", observable="loss")
    align_out: int = _positive(32, "output size of an alignment head", observable="loss")
    distancing: str = _choice(
        "club",
        "loss that pushes generic and unique apart, or none",
        observable="loss",
        check=lambda v: v in distancing_names(),
        rule=lambda: f"one of {', '.join(distancing_names())}",
    )
    distance_weight: float = _non_negative(0.006, "weight of the distancing loss", observable="gradient")
    distance_items: str = _choice(
        "all",
        "items in the distancing loss and its fit: all, sample:N or batch",
        observable="loss",
        check=_sampled,
        rule="all, sample:N (N >= 2) or batch",
    )
    distance_dim: int = _positive(32, "output size of the heads that distancing reads", observable="loss")
    club_hidden: int = _positive(8, "hidden size of CLUB's variational net", observable="loss")
    club_steps: int = _choice(
        50, "CLUB fit steps per batch", observable="prediction", check=lambda v: v >= 0, rule=">= 0"
    )
    club_fit_every: int = _positive(1, "batches from a CLUB fit to the next; 1 = each batch", observable="prediction")
    club_learning_rate: float | None = _positive(
        None, "learning rate of the CLUB fit; null = learning_rate", observable="prediction"
    )
    club_fit_pairs: Literal["evaluated", "cross_modal"] = _choice(
        "evaluated",
        "pairs CLUB is fitted on: those it is evaluated on, or the released mismatch",
        observable="prediction",
    )
    club_clamp: bool = _choice(True, "clamp each CLUB term at 0 from below", observable="loss")

    # Training
    bpr_log_base: Literal["e", "2"] = _choice("e", "base of the logarithm in BPR", observable="loss")
    learning_rate: float = _positive(1e-4, "Adam's learning rate", observable="prediction", group="training")
    adam_beta1: float = _choice(
        0.9,
        "Adam's first decay",
        observable="prediction",
        check=lambda v: 0 <= v < 1,
        rule="in [0, 1)",
        group="training",
    )
    adam_beta2: float = _choice(
        0.999,
        "Adam's second decay",
        observable="prediction",
        check=lambda v: 0 <= v < 1,
        rule="in [0, 1)",
        group="training",
    )
    adam_eps: float = _positive(1e-8, "Adam's epsilon", observable="prediction", group="training")
    weight_decay: float = _non_negative(
        0.0, "share of each weight that is added to its gradient", observable="prediction", group="training"
    )
    clip_grad_norm: float | None = _positive(
        None, "longest gradient over all weights; null = no clipping", observable="prediction", group="training"
    )
    learning_rate_decay: float = _choice(
        1.0,
        "the learning rate is multiplied by this every learning_rate_decay_epochs, evenly from epoch to epoch",
        observable="prediction",
        check=lambda v: 0 < v <= 1,
        rule="in (0, 1]",
        group="training",
    )
    learning_rate_decay_epochs: int = _choice(
        50,
        "epochs in which the learning rate falls by the factor learning_rate_decay",
        observable="prediction",
        check=lambda v: v >= 1,
        rule=">= 1",
        group="training",
    )
    batch_size: int = _positive(2048, "training interactions per batch", observable="loss", group="training")
    epochs: int = _choice(
        1000, "most epochs", observable="stopping", check=lambda v: v >= 1, rule=">= 1", group="training"
    )
    stopping_step: int = _choice(
        20,
        "stop after more than this many epochs without a better value",
        observable="stopping",
        check=lambda v: v >= 0,
        rule=">= 0",
        group="training",
    )
    stopping_decimals: int | None = _choice(
        None,
        "round the watched metric before comparing; null = full precision",
        observable="stopping",
        check=lambda v: 0 <= v <= 15,
        rule="in [0, 15]",
        group="training",
    )
    precision: Literal["float32", "bf16"] = _choice(
        "float32", "arithmetic of the large feature products", observable="loss"
    )

    # Evaluation
    valid_metric: str = _choice(
        "recall@20",
        "validation metric that selects the epoch",
        observable="stopping",
        check=_metric,
        rule=_metric_rule,
        group="evaluation",
    )
    metrics: tuple[str, ...] = _choice(
        ("recall@10", "recall@20", "ndcg@10", "ndcg@20"),
        "metrics that tables and figures show; their K are evaluated, beside 10 and 20",
        observable="record",
        check=_metrics,
        rule=lambda: f"a list without repetition, each {_metric_rule()}",
        group="evaluation",
    )
    evaluation_embeddings: Literal["fresh", "last_batch"] = _choice(
        "fresh",
        "embeddings evaluated: a fresh forward, or those of the last batch before its step",
        observable="prediction",
    )

    def __post_init__(self) -> None:
        for name, kind in _kinds().items():
            value = _coerce(name, getattr(self, name), kind)
            object.__setattr__(self, name, value)
        unread = keys_unread(find_model(self.model))
        for item in fields(self):
            value = getattr(self, item.name)
            _check_range(item, value)
            if item.name in unread and value != item.default:
                raise _unread(item.name, self.model)

    @classmethod
    def legal(cls, key: str, value: Any, *, source: str) -> Any:
        """A value as a config keeps it (``2`` as ``2.0``), whichever models read the key.

        Raises:
            UserError: unknown key, wrong type or value out of range.
        """
        for item in fields(cls):
            if item.name == key:
                try:
                    result = _coerce(key, value, _kinds()[key])
                    _check_range(item, result)
                except UserError as error:
                    raise UserError(f"{error} ({source})") from None
                return result
        raise UserError(f"unknown config key '{key}' in {source}{suggest(key, [item.name for item in fields(cls)])}")

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], *, preset: str | None = None, source: str = "config") -> Self:
        """Build a config from a preset and flat overrides.

        Args:
            mapping: config keys and values. Keys that are unknown, or that the model does not read, are errors.
            preset: one of the model's (``Model.presets``); None takes its first.
            source: where the values came from, named in errors.

        Raises:
            UserError: unknown model, preset or key, wrong type or value out of range.
        """
        known = {f.name for f in fields(cls)}
        for key in mapping:
            if key not in known:
                raise UserError(f"unknown config key '{key}' in {source}{suggest(str(key), known)}")
        try:
            model = find_model(_coerce("model", mapping.get("model", cls.model), str))
            for key in mapping:
                if key in keys_unread(model):
                    raise _unread(key, model.name)
            if preset is not None and preset not in model.presets:
                raise UserError(f"unknown preset '{preset}'{_of_model(model.name)}{suggest(preset, model.presets)}")
            chosen = model.presets[preset if preset is not None else next(iter(model.presets))]
            return cls(**{**chosen, **mapping})
        except UserError as error:
            raise UserError(f"{error} ({source})") from None

    @classmethod
    def from_record(cls, mapping: Mapping[str, Any], *, source: str = "record") -> Self:
        """Build a config from a record's ``as_dict``; a field that came later has its default, whatever presets say.

        Raises:
            UserError: as ``from_mapping``.
        """
        known = {f.name for f in fields(cls)}
        for key in mapping:
            if key not in known:
                raise UserError(f"unknown config key '{key}' in {source}{suggest(str(key), known)}")
        try:
            return cls(**mapping)
        except UserError as error:
            raise UserError(f"{error} ({source})") from None

    def override(self, **changes: Any) -> Self:
        """Return a copy with some fields changed, validated again."""
        return replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        """What the model reads, as plain values in field order; ``Config(**config.as_dict())`` equals the config."""
        unread = keys_unread(find_model(self.model))
        values = {name: value for name, value in asdict(self).items() if name not in unread}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @property
    def ks(self) -> tuple[int, ...]:
        """The cut-offs K that runs are evaluated at: 10, 20, and those of ``valid_metric`` and ``metrics``."""
        return tuple(
            sorted({*_ALWAYS_K, *(int(each.partition("@")[2]) for each in (self.valid_metric, *self.metrics))})
        )

    def hash(self) -> str:
        """16 hex digits that two configs share exactly when all their fields are equal.

        Only what differs from the defaults is hashed, so that a field added later, whose default does what was done
        before, leaves the hashes of old records alone. The order of ``modalities`` counts: it decides which modality
        comes first in the model.
        """
        chosen = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return hashlib.sha256(json.dumps(chosen).encode()).hexdigest()[:16]


def _check_range(item: Field[Any], value: Any) -> None:
    check = item.metadata["check"]
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{item.name} must be a finite number, got {value}")
    if check is not None and value is not None and not check(value):
        raise UserError(f"{item.name} must be {_text(item.metadata['rule'])}, got {value!r}")
    if isinstance(value, int) and value > (most := _MOST_OF.get(item.name, _MOST)):
        raise UserError(f"{item.name} must be at most {most}, got {value}")


@functools.cache
def _kinds() -> dict[str, Any]:
    """The types of a config's fields; to evaluate them for every config takes a search a millisecond each time."""
    return typing.get_type_hints(Config)


def _unread(key: str, model: str) -> UserError:
    return UserError(f"model '{model}' does not read '{key}'; {what_instead(key, find_model(model))}")


def _of_model(name: str) -> str:
    """Named where there is more than the one model that every reader expects."""
    return "" if name == Config.model else f" of model '{name}'"


def _coerce(name: str, value: Any, kind: Any) -> Any:
    """Check a value against a field's annotation; ints pass as floats, and 2 as "2" in a choice of strings."""
    options = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if value is None:
        if types.NoneType in options:
            return None
        raise UserError(f"{name} must not be null; expected {_describe(kind)}")
    for option in options:
        origin = typing.get_origin(option)
        if origin is Literal:
            if str(value) in typing.get_args(option):
                return str(value)
            choices = typing.get_args(option)
            raise UserError(f"{name} must be one of {', '.join(choices)}, got {value!r}{suggest(str(value), choices)}")
        if origin is dict and isinstance(value, Mapping):
            inner = typing.get_args(option)[1]
            return {str(k): _coerce(f"{name}.{k}", v, inner) for k, v in value.items()}
        if origin is tuple and isinstance(value, list | tuple):
            return tuple(_coerce(name, each, typing.get_args(option)[0]) for each in value)
        if name == "modalities" and isinstance(value, list | tuple):
            return {str(k): f"{k}_feat.npy" for k in value}
        if option is bool and isinstance(value, bool):
            return value
        if option is int and isinstance(value, int) and not isinstance(value, bool):
            return value
        if option is float and isinstance(value, int | float) and not isinstance(value, bool):
            # Python's whole numbers have no end, floats do; the field's own check says the rest.
            return float(value) if isinstance(value, float) or abs(value) < 10**308 else math.inf
        if option is str and isinstance(value, str):
            return value
    hints = {
        "modalities": "; write [image, text] or {image: image_feat.npy, text: text_feat.npy}",
        "metrics": "; write [recall@20, ndcg@20]",
    }
    hint = hints.get(name, "")
    raise UserError(f"{name} must be {_describe(kind)}, got {value!r}{hint}")


def _describe(kind: Any) -> str:
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "a string", types.NoneType: "null"}
    options = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    return " or ".join(
        words.get(option, "a list" if typing.get_origin(option) is tuple else "a map") for option in options
    )

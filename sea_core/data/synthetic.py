"""Planted data: shared and modality-unique latent factors drive both features and choices, and the truth is kept.

Item ``i`` has shared factors ``z_i`` and, per modality ``m``, unique factors ``z_im``. A modality's features are a
random linear map of both plus noise. A user's taste is a random vector over the same factors, and choices are drawn
without replacement with probabilities proportional to ``exp(taste . factors + popularity)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from sea_core.data.splits import Contents, Splits, from_labels, split_per_user
from sea_core.errors import UserError, suggest
from sea_core.streams import stream_seed

MODALITY_NAMES = ("image", "text", "audio", "video")
PER_MODALITY = ("unique_importance", "shared_signal")
FEWEST_PER_USER = 5
LARGEST_TABLE = 50_000_000


@dataclass(frozen=True)
class Knobs:
    """What is planted. Written after the name: ``synthetic:users=500,dims=64/32`` (slashes part modalities).

    Attributes:
        users, items: sizes.
        interactions: mean per user; single users differ as Poisson does, and have at least 5.
        dims: feature dimensions per modality; as many modalities as values (image, text, audio, video).
        shared_factors, unique_factors: number of latent factors, shared and of each modality.
        shared_importance: how much the shared factors matter for choices.
        unique_importance: the same for each modality's unique factors; importances are relative to each other.
        shared_signal: per modality, how strongly its features show the shared factors. A modality with shared_signal 0
            and unique_importance 0 is pure noise.
        noise: sd of the noise in features; the factors' own contribution has an sd of about 1.
        taste: sd of the taste over items; 0 leaves popularity alone.
        popularity: sd of the log-popularity of items.
        seed: of everything drawn.
    """

    users: int = 300
    items: int = 200
    interactions: int = 27
    dims: tuple[int, ...] = (48, 32)
    shared_factors: int = 4
    unique_factors: int = 4
    shared_importance: float = 1.0
    unique_importance: tuple[float, ...] = (1.0, 1.0)
    shared_signal: tuple[float, ...] = (1.0, 1.0)
    noise: float = 0.5
    taste: float = 2.0
    popularity: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        modalities = len(self.dims)
        at_least = {
            "users": 2,
            "items": 2 * FEWEST_PER_USER,
            "interactions": FEWEST_PER_USER,
            "shared_factors": 1,
            "unique_factors": 1,
        }
        for name, least in at_least.items():
            _require(getattr(self, name) >= least, name, f"at least {least}", getattr(self, name))
        # Choices are drawn without replacement, and every user must leave items to be negatives.
        _require(
            self.interactions <= self.items // 2,
            "interactions",
            f"at most items / 2 = {self.items // 2}",
            self.interactions,
        )
        _require(
            1 <= modalities <= len(MODALITY_NAMES), "dims", f"1 to {len(MODALITY_NAMES)} values, joined by /", self.dims
        )
        _require(min(self.dims) >= 1, "dims", "at least 1 each", self.dims)
        # A table of users x items is held while choices are drawn.
        limit = LARGEST_TABLE // self.items
        _require(self.users <= limit, "users", f"at most {limit} with {self.items} items", self.users)
        _require(sum(self.dims) <= limit, "dims", f"at most {limit} in all with {self.items} items", self.dims)
        for name in ("shared_factors", "unique_factors"):
            _require(getattr(self, name) <= 1000, name, "at most 1000", getattr(self, name))
        for name in PER_MODALITY:
            values = getattr(self, name)
            _require(
                len(values) == modalities, name, f"one value for each of the {modalities} modalities in dims", values
            )
            _require(all(0 <= v < 1e6 for v in values), name, "in [0, 1e6)", values)
        for name in ("shared_importance", "noise", "taste", "popularity"):
            _require(0 <= getattr(self, name) < 1e6, name, "in [0, 1e6)", getattr(self, name))

    @classmethod
    def parse(cls, text: str) -> Knobs:
        """Read ``users=500,noise=0.5``; an empty text gives the defaults.

        Raises:
            UserError: unknown knob, a value of another type or out of range.
        """
        kinds: dict[str, Any] = {f.name: type(f.default) for f in fields(cls)}
        first: dict[str, Any] = {f.name: f.default for f in fields(cls)}
        values: dict[str, Any] = {}
        for part in filter(None, text.split(",")):
            name, _, value = part.partition("=")
            if name not in kinds:
                raise UserError(f"unknown knob '{name}' of synthetic{suggest(name, kinds)}")
            if name in values:
                raise UserError(f"knob '{name}' of synthetic is given twice")
            try:
                if kinds[name] is tuple:
                    values[name] = tuple(type(first[name][0])(v) for v in value.split("/"))
                else:
                    values[name] = kinds[name](value)
            except ValueError:
                raise UserError(
                    f"knob '{name}' of synthetic must look like {_write(first[name])}, got {value!r}"
                ) from None
        # The defaults are for two modalities; with another number, what was not said is 1 for each.
        return cls(**dict.fromkeys(PER_MODALITY, (1.0,) * len(values.get("dims", cls.dims))) | values)

    def write(self) -> str:
        """The inverse of ``parse``: only what differs from the defaults, in the order of the fields."""
        usual = {f.name: f.default for f in fields(self)}
        usual |= dict.fromkeys(PER_MODALITY, (1.0,) * len(self.dims))
        changed = (name for name, value in usual.items() if getattr(self, name) != value)
        return ",".join(f"{name}={_write(getattr(self, name))}" for name in changed)


class Truth(NamedTuple):
    """What was planted.

    Attributes:
        shared: the items' shared factors.
        unique: modality -> the items' unique factors.
        taste: ``users x items``, the part of the log-odds that the factors explain (sd ``taste``).
        popularity: the items' part of the log-odds.
    """

    shared: Float[np.ndarray, "items shared"]
    unique: Mapping[str, Float[np.ndarray, "items unique"]]
    taste: Float[np.ndarray, "users items"]
    popularity: Float[np.ndarray, " items"]


class Planted(NamedTuple):
    """A planted dataset's parts beside the truth behind them."""

    splits: Splits
    features: Mapping[str, Float[np.ndarray, "items dim"]]
    truth: Truth


def plant(knobs: Knobs) -> Planted:
    """Draw factors, features, tastes and choices; equal knobs give equal bytes."""
    names = MODALITY_NAMES[: len(knobs.dims)]
    shared, unique = plant_factors(knobs)
    features = {
        name: _features(_stream(knobs, f"features/{name}"), signal * shared, unique[name], dim=dim, noise=knobs.noise)
        for name, dim, signal in zip(names, knobs.dims, knobs.shared_signal, strict=True)
    }
    importances = (knobs.shared_importance, *knobs.unique_importance)
    total = float(np.sqrt(np.sum(np.square(importances))))
    taste = np.zeros((knobs.users, knobs.items))
    for name, importance, factors in zip(("shared", *names), importances, (shared, *unique.values()), strict=True):
        wishes = _stream(knobs, f"taste/{name}").standard_normal((knobs.users, factors.shape[1]))
        if importance > 0:
            taste += knobs.taste * importance / total / np.sqrt(factors.shape[1]) * wishes @ factors.T
    popularity = knobs.popularity * _stream(knobs, "popularity").standard_normal(knobs.items)
    user, item = _choose(knobs, taste + popularity)
    label = split_per_user(user, _stream(knobs, "split"))
    splits = from_labels(user, item, label, users=knobs.users, items=knobs.items, source=f"synthetic:{knobs.write()}")
    return Planted(splits, features, Truth(shared, unique, taste, popularity))


def plant_factors(
    knobs: Knobs,
) -> tuple[Float[np.ndarray, "items shared"], dict[str, Float[np.ndarray, "items unique"]]]:
    """The items' shared factors, and modality -> its own: those of ``Truth``, without drawing a single choice."""
    names = MODALITY_NAMES[: len(knobs.dims)]
    shared = _stream(knobs, "shared").standard_normal((knobs.items, knobs.shared_factors))
    unique = {
        name: _stream(knobs, f"unique/{name}").standard_normal((knobs.items, knobs.unique_factors)) for name in names
    }
    return shared, unique


def open_synthetic(knobs: Knobs) -> Contents:
    """The planted dataset as a source; its features carry the file names they would have in a folder."""
    planted = plant(knobs)
    files = {f"{name}_feat.npy": array for name, array in planted.features.items()}

    def read_features(wanted: Mapping[str, str] | None) -> dict[str, Float[np.ndarray, "items dim"]]:
        if wanted is None:
            return dict(planted.features)
        for name, file in wanted.items():
            if file not in files:
                raise UserError(f"modalities.{name}: synthetic has no feature file {file!r}{suggest(file, files)}")
        return {name: files[file] for name, file in wanted.items()}

    return Contents(planted.splits, read_features)


def _features(
    generator: np.random.Generator,
    shared: Float[np.ndarray, "items shared"],
    unique: Float[np.ndarray, "items unique"],
    *,
    dim: int,
    noise: float,
) -> Float[np.ndarray, "items dim"]:
    factors = np.hstack([shared, unique])
    loadings = generator.standard_normal((factors.shape[1], dim)) / np.sqrt(factors.shape[1])
    features = factors @ loadings + noise * generator.standard_normal((len(factors), dim))
    # Rounding hides the last bits of the product, which differ between CPUs, so the data hash does not.
    return np.round(features, 4).astype(np.float32)


def _choose(
    knobs: Knobs, log_odds: Float[np.ndarray, "users items"]
) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"]]:
    """Draw each user's items without replacement: the largest log-odds plus Gumbel noise (the Gumbel top-k trick)."""
    generator = _stream(knobs, "choices")
    most = min(2 * knobs.interactions, knobs.items - FEWEST_PER_USER)
    count = np.clip(generator.poisson(knobs.interactions, knobs.users), FEWEST_PER_USER, most)
    ranking = np.argsort(-(log_odds + generator.gumbel(size=log_odds.shape)), axis=1, kind="stable")
    user = np.repeat(np.arange(knobs.users), count)
    item = np.concatenate([np.sort(row[:n]) for row, n in zip(ranking, count, strict=True)])
    return user, item


def _stream(knobs: Knobs, name: str) -> np.random.Generator:
    return np.random.default_rng(stream_seed(knobs.seed, f"synthetic/{name}"))


def _require(holds: bool, name: str, rule: str, value: object) -> None:
    if not holds:
        raise UserError(f"knob '{name}' of synthetic must be {rule}, got {_write(value)}")


def _write(value: object) -> str:
    return "/".join(map(str, value)) if isinstance(value, tuple) else str(value)

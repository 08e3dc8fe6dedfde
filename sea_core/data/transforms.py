"""Transformations of features: what knock-out arms do to a modality to see whether it matters.

The config field ``feature_transform`` maps a modality, or ``all``, to one of them: ``{image: permute}``. What they draw
depends on the modality's name and the number after a colon (``permute:2``; 0 if none), never on the run's seed, so that
all seeds of an arm train on equal data. The features, and with them the data hash, are those after the transformation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sea_core.errors import UserError, suggest
from sea_core.streams import stream_seed

ALL = "all"
_BLOCK_ROWS = 4096

Features = Mapping[str, Float[np.ndarray, "items _"]]


class Request(NamedTuple):
    """What a transformation is asked for.

    Attributes:
        features: of all modalities, before any transformation.
        modality: whose new features are wanted.
        argument: what stands after the colon; empty if nothing.
    """

    features: Features
    modality: str
    argument: str

    @property
    def own(self) -> Float[np.ndarray, "items dim"]:
        """The modality's features."""
        return self.features[self.modality]

    def generator(self) -> np.random.Generator:
        """The draws of this modality and number.

        Raises:
            UserError: the argument is no whole number from 0.
        """
        if self.argument and not self.argument.isdecimal():
            raise UserError(
                f"feature_transform.{self.modality}: expected a whole number after the colon, got {self.argument!r}"
            )
        return np.random.default_rng(stream_seed(int(self.argument or 0), f"feature_transform/{self.modality}"))


Transform = Callable[[Request], Float[np.ndarray, "items dim"]]
_registered: dict[str, Transform] = {}


def register_transform(name: str) -> Callable[[Transform], Transform]:
    """Make a function known as a transformation; it must not change its input, and keeps the number of items."""

    def register(function: Transform) -> Transform:
        _registered[name] = function
        return function

    return register


def transforms() -> dict[str, Transform]:
    """Name -> transformation."""
    return dict(_registered)


def transform_names() -> list[str]:
    """What ``feature_transform`` can name."""
    return sorted(_registered)


def is_transform(text: str) -> bool:
    """Whether this is a known name, with or without an argument."""
    return text.partition(":")[0] in _registered


def check_transform(wanted: Mapping[str, str], modalities: tuple[str, ...]) -> None:
    """Refuse a transformation of a modality that is not there.

    Raises:
        UserError: it names another modality than the data have, or ``all`` beside others.
    """
    for name in wanted:
        if name != ALL and name not in modalities:
            raise UserError(
                f"feature_transform names the modality '{name}', but the data have {', '.join(modalities)}"
                f"{suggest(name, [*modalities, ALL])}"
            )
    if ALL in wanted and len(wanted) > 1:
        raise UserError(f"feature_transform: '{ALL}' stands for every modality, so it must stand alone")


def transform_features(features: Features, wanted: Mapping[str, str] | None) -> dict[str, Float[np.ndarray, "items _"]]:
    """The features after the transformations of ``wanted`` (modality -> name); others are passed on as they are.

    Raises:
        UserError: an unknown modality or transformation, or one that does not apply to these features.
    """
    if not wanted:
        return dict(features)
    check_transform(wanted, tuple(features))
    named = dict.fromkeys(features, wanted[ALL]) if ALL in wanted else wanted
    changed = dict(features)
    for modality, written in named.items():
        name, _, argument = written.partition(":")
        if name not in _registered:
            raise UserError(
                f"feature_transform.{modality}: unknown transformation {name!r}{suggest(name, _registered)}"
            )
        changed[modality] = _registered[name](Request(features, modality, argument))
    return changed


@register_transform("zero")
def zero(request: Request) -> Float[np.ndarray, "items dim"]:
    """Nothing at all: what is left of the modality is the bias of its projection."""
    return np.zeros_like(request.own)


@register_transform("mean")
def mean(request: Request) -> Float[np.ndarray, "items dim"]:
    """Every item gets the mean of all: the modality's level without any difference between items."""
    row = request.own.mean(axis=0, dtype=np.float64).astype(np.float32)
    return np.tile(row, (len(request.own), 1))


@register_transform("noise")
def noise(request: Request) -> Float[np.ndarray, "items dim"]:
    """Normal noise with each column's mean and standard deviation, drawn anew for every item and column."""
    centre = request.own.mean(axis=0, dtype=np.float64)
    spread = request.own.std(axis=0, dtype=np.float64)
    return _normal(request, centre, spread)


@register_transform("permute")
def permute(request: Request) -> Float[np.ndarray, "items dim"]:
    """The same rows, each at another item: all of the modality but which item it describes."""
    return request.own[request.generator().permutation(len(request.own))]


@register_transform("random-features")
def random_features(request: Request) -> Float[np.ndarray, "items dim"]:
    """Standard normal numbers in the shape of the features."""
    dim = request.own.shape[1]
    return _normal(request, np.zeros(dim), np.ones(dim))


@register_transform("swap")
def swap(request: Request) -> Float[np.ndarray, "items dim"]:
    """The rows of another modality, named after the colon: ``{image: swap:text, text: swap:image}``.

    Raises:
        UserError: no such modality, or one with another number of columns, for which the model would be another.
    """
    modality, other = request.modality, request.argument
    if other not in request.features or other == modality:
        others = [name for name in request.features if name != modality]
        raise UserError(
            f"feature_transform.{modality}: swap needs another modality, like swap:NAME{suggest(other, others)}"
        )
    theirs = request.features[other]
    if theirs.shape != request.own.shape:
        raise UserError(
            f"feature_transform.{modality}: cannot swap with {other}, which has {theirs.shape[1]} columns, not "
            f"{request.own.shape[1]}"
        )
    return theirs


def _normal(
    request: Request, centre: Float[np.ndarray, " dim"], spread: Float[np.ndarray, " dim"]
) -> Float[np.ndarray, "items dim"]:
    generator, shape = request.generator(), request.own.shape
    drawn = np.empty(shape, dtype=np.float32)
    for start in range(0, shape[0], _BLOCK_ROWS):  # no second table in float64
        rows = slice(start, min(start + _BLOCK_ROWS, shape[0]))
        drawn[rows] = centre + spread * generator.standard_normal((rows.stop - start, shape[1]))
    return drawn

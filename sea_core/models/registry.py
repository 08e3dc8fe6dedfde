"""Which models there are: one class a file in this folder, and those that a user's own file registers.

from sea_core.models.registry import register

@register
class MyModel(TrainedModel):
    name = "mine"
    ...
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import re
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from sea_core.errors import UserError, suggest

if TYPE_CHECKING:
    from sea_core.models.protocol import Model

M = TypeVar("M", bound="type[Model]")

_REGISTERED: dict[str, type[Model]] = {}
_NAME = re.compile(r"[a-z0-9][a-z0-9+_-]*")


def register(model: M) -> M:
    """Make a model known by its name; a class decorator.

    Registering one class again (a file that is loaded twice) replaces it.

    Raises:
        UserError: the name is illegal or another model's, a key that it reads is no config key, or it has no preset.
    """
    from sea_core.config import Config

    name, where = model.name, f"the model {model.__qualname__} ({model.__module__})"
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UserError(f"{where} must be named by small letters, digits, '-', '_' and '+', got {name!r}")
    there = _REGISTERED.get(name)
    if there is not None and (there.__module__, there.__qualname__) != (model.__module__, model.__qualname__):
        raise UserError(f"{where} is named '{name}', as is {there.__qualname__} ({there.__module__}); rename one")
    known = {field.name for field in fields(Config)}
    if unknown := sorted(model.reads - known):
        raise UserError(f"{where} reads '{unknown[0]}', which is no config key{suggest(unknown[0], known)}")
    if not model.presets:
        raise UserError(
            f"{where} must have at least one preset, the first being its default: presets = {{'own': {{}}}}"
        )
    _REGISTERED[name] = model
    return model


def find_model(name: str) -> type[Model]:
    """The model of a name.

    Raises:
        UserError: there is none.
    """
    if name not in _REGISTERED:
        _load_shipped()
    if name not in _REGISTERED:
        raise UserError(
            f"unknown model '{name}'{suggest(name, _REGISTERED)} (a model of your own is loaded with --plugin FILE)"
        )
    return _REGISTERED[name]


def model_names() -> list[str]:
    """The names of all models, in alphabetical order."""
    _load_shipped()
    return sorted(_REGISTERED)


@cache
def keys_read(model: type[Model]) -> frozenset[str]:
    """The config keys that a model reads: its own, and those of its kind.

    Every model reads the keys of evaluation, every trained one those of training, every one with features those of
    features (``group`` in the metadata of ``Config``'s fields).
    """
    from sea_core.config import Config

    groups = {"every": True, "evaluation": True, "training": model.trains, "features": model.reads_features}
    return frozenset(
        field.name for field in fields(Config) if field.name in model.reads or groups.get(field.metadata["group"])
    )


@cache
def keys_unread(model: type[Model]) -> frozenset[str]:
    """The config keys that a model does not read."""
    from sea_core.config import Config

    return frozenset(field.name for field in fields(Config)) - keys_read(model)


def nearest_key(key: str, model: type[Model]) -> str:
    """The key that a model reads whose name is most like ``key``."""
    return difflib.get_close_matches(key, sorted(keys_read(model)), n=1, cutoff=0.0)[0]


def what_instead(key: str, model: type[Model]) -> str:
    """Why a model does not read a key, or the nearest that it does, to stand behind ``does not read 'x'; ``."""
    from sea_core.config import Config

    group = next((field.metadata["group"] for field in fields(Config) if field.name == key), None)
    if group == "features" and not model.reads_features:
        return "it has no item features"
    return f"the nearest key that it reads is '{nearest_key(key, model)}'"


@cache
def _load_shipped() -> None:
    """Import every module of this folder; each registers its models."""
    import sea_core.models as folder

    for module in pkgutil.iter_modules(folder.__path__):
        importlib.import_module(f"{folder.__name__}.{module.name}")

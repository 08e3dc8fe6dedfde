"""The layouts of raw files that there are."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TypeVar

import sea_core.data.prepare.layouts as package
from sea_core.data.prepare.raw import Raw

Layout = TypeVar("Layout", bound=type[Raw])
_registered: dict[str, type[Raw]] = {}


def register_layout(layout: Layout) -> Layout:
    """Make a layout known under its name; decorates its class."""
    _registered[layout.name] = layout
    return layout


def layouts() -> dict[str, type[Raw]]:
    """Name -> layout, by name."""
    _load_package()
    return dict(sorted(_registered.items()))


@cache
def _load_package() -> None:
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")

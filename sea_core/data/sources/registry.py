"""The sources there are: those of this package's files, and those that plugins register."""

from __future__ import annotations

import importlib
import pkgutil
import re
from functools import cache

import sea_core.data.sources as package
from sea_core.data.sources.source import Source
from sea_core.errors import UserError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_registered: dict[str, Source] = {}


def register_source(source: Source) -> None:
    """Make a source known under its name. A plugin calls this; so does every file of this package.

    Registering a class of the same module and name again replaces the former, as loading a plugin twice does.

    Raises:
        UserError: a name that cannot be written on a command line, or one that another source has.
    """
    if not _NAME.fullmatch(source.name):
        raise UserError(f"a source's name must be letters, digits and dashes, got {source.name!r}")
    earlier = _registered.get(source.name)
    if earlier is not None and _origin(earlier) != _origin(source):
        raise UserError(
            f"two sources are named '{source.name}': {'.'.join(_origin(earlier))} and {'.'.join(_origin(source))}; "
            "rename one"
        )
    _registered[source.name] = source


def sources() -> dict[str, Source]:
    """Name -> source, by name."""
    _load_package()
    return dict(sorted(_registered.items()))


@cache
def _load_package() -> None:
    """Import every file beside this one; each registers its source."""
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")


def _origin(source: Source) -> tuple[str, str]:
    return type(source).__module__, type(source).__qualname__

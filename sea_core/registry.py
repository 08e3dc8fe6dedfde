"""Named parts of one kind: those of a package's files, found without a list, and those that plugins add."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import TypeVar

from sea_core.errors import UserError, suggest

Part = TypeVar("Part")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


class Registry(Mapping[str, Part]):
    """A mapping from names to parts, in order of their places, then of registration; files are imported when needed."""

    def __init__(self, kind: str, *, package: str | None = None, reserved: Sequence[str] = ()) -> None:
        """Make an empty one.

        Args:
            kind: what a part is called in messages: ``metric``.
            package: every module of it is imported before the first look-up, so that it can register; None if parts
                are registered by whoever made the registry.
            reserved: names that no part may have.
        """
        self.kind = kind
        self._package, self._complete = package, package is None
        self._parts: dict[str, Part] = {}
        self._places: dict[str, int] = {}
        self._reserved = tuple(reserved)

    def register(self, name: str, part: Part, *, place: int = 0) -> Part:
        """Make ``part`` known as ``name`` and return it; ``place`` orders parts where that matters.

        What the same file registers again replaces the former.

        Raises:
            UserError: a name that cannot be written on a command line, or one that another part has.
        """
        if not _NAME.fullmatch(name):
            raise UserError(f"a {self.kind}'s name must be letters, digits, - and _, and begin with a letter: {name!r}")
        if name in self._reserved:
            raise UserError(f"'{name}' has a meaning of its own among {self.kind} names; choose another")
        earlier = self._parts.get(name)
        if earlier is not None and _origin(earlier) != _origin(part):
            raise UserError(f"two {self.kind}s are named '{name}': {_origin(earlier)} and {_origin(part)}; rename one")
        self._parts[name] = part
        self._places[name] = place
        return part

    def add(self, name: str, *, place: int = 0) -> Callable[[Part], Part]:
        """``register`` as a decorator."""

        def decorate(part: Part) -> Part:
            return self.register(name, part, place=place)

        return decorate

    def find(self, name: str) -> Part:
        """The part of that name.

        Raises:
            UserError: there is none; the message names the nearest.
        """
        if name not in self:
            raise UserError(f"unknown {self.kind} '{name}'{suggest(name, self)}")
        return self[name]

    def __getitem__(self, name: str) -> Part:
        self._import_package()
        return self._parts[name]

    def __iter__(self) -> Iterator[str]:
        self._import_package()
        return iter(sorted(self._parts, key=lambda name: self._places.get(name, 0)))

    def __len__(self) -> int:
        self._import_package()
        return len(self._parts)

    def _import_package(self) -> None:
        if self._complete or self._package is None:
            return
        self._complete = True  # first: a file that looks something up must not begin this again
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self._package}.{module.name}")


def _origin(part: object) -> str:
    """Where a part was written: ``module.name``; a figure's part is a module itself."""
    if isinstance(part, ModuleType):
        return part.__name__
    named = part if hasattr(part, "__qualname__") else type(part)
    return f"{named.__module__}.{named.__qualname__}"

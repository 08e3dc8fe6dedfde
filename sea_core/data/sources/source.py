"""What a source of datasets must answer. A new one is a subclass in a file of its own that registers an instance."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from sea_core.data.downloads import Collection
from sea_core.data.splits import Contents
from sea_core.errors import UserError


class Source(ABC):
    """A family of datasets, written ``name`` or ``name:options`` wherever a dataset is asked for.

    Attributes:
        name: letters, digits and dashes; what users write.
        summary: one line for ``data list``.
        yields_to_folder: a folder of that name in the data root is meant instead, where there is one.
        collection: the files that it fetches over HTTP, if it does.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    yields_to_folder: ClassVar[bool] = False
    collection: ClassVar[Collection | None] = None

    @abstractmethod
    def open(self, options: str) -> Contents:
        """Read the dataset, test rows included (the catalogue hides them); fetch first if need be.

        Args:
            options: what ``canonical`` returned.

        Raises:
            UserError: the data are missing or faulty.
        """

    def canonical(self, options: str) -> str:
        """The options in the one form in which equal datasets have equal options; records keep it.

        Raises:
            UserError: options that this source does not know. By default it knows none.
        """
        if options:
            raise UserError(f"dataset '{self.name}' takes no options, got {options!r}; write {self.name} alone")
        return ""

    def fetch(self, *, mirror: str | None = None) -> Path | None:
        """Bring everything into the cache, so that ``open`` needs no network, and return where it lies.

        By default there is nothing to fetch, and nowhere.

        Args:
            mirror: an address to use in place of the usual one; ignored where files do not come over HTTP.

        Raises:
            UserError: it cannot be fetched; the message says which files to put where.
        """
        return None

    def is_fetched(self) -> bool:
        """Whether ``open`` would need no network. Quick: contents are checked on use."""
        return True

    def cache_inputs(self) -> Mapping[str, Any]:
        """All that what this source keeps in the cache depends on, as JSON values; empty if it keeps nothing."""
        return {}

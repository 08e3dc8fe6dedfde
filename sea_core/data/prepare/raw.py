"""What a layout of raw files must answer. A new one is a subclass in a file of ``layouts/`` that registers itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from sea_core.data.prepare.encoding import Allocate, Encoded, Encoding
from sea_core.data.prepare.interactions import RawInteractions
from sea_core.errors import UserError


class Content(ABC):
    """One modality's raw content.

    Attributes:
        modality: names it, and its feature file.
        files: where it comes from.
        by_default: taken where no modalities are named.
        warning: what a user of it should know; empty if nothing.
    """

    modality: str
    files: tuple[Path, ...]
    by_default: bool = True
    warning: str = ""

    @abstractmethod
    def ids(self) -> pa.Array | None:
        """Original ids of the items it has an entry for, even an empty one; None if it has one for every item."""

    @abstractmethod
    def encode(self, ids: pa.Array, encoding: Encoding, allocate: Allocate) -> Encoded:
        """Features of these items, in this order.

        Args:
            ids: original ids; some may have no entry.
            encoding: how.
            allocate: makes the array to fill.

        Raises:
            UserError: the content is faulty, or the encoding does not fit it.
        """


class Raw(ABC):
    """Raw files of one layout, found but not yet read.

    Attributes:
        name: of the layout, ``citeulike``.
        layout: one line for ``--help``.
        k_core: the default.
        keeps_items: items that have content and no interactions stay, unless a flag says otherwise.
    """

    name: ClassVar[str]
    layout: ClassVar[str]
    k_core: ClassVar[int] = 5
    keeps_items: ClassVar[bool] = False

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        """Find the files.

        Args:
            path: a folder, or the file with the interactions.
            columns: what the user calls the columns, ``{"user": "UID"}``.

        Raises:
            UserError: files are missing, or there are columns to name in no layout but ``csv``.
        """
        if columns:
            raise UserError(f"--columns is for the layout csv; the columns of {self.name} have fixed names")
        self.path = path

    @property
    @abstractmethod
    def files(self) -> list[Path]:
        """All files that are read, interactions first."""

    @abstractmethod
    def interactions(self) -> RawInteractions:
        """Read the interactions.

        Raises:
            UserError: a faulty line, with its file, its number and what was expected.
        """

    @abstractmethod
    def contents(self) -> list[Content]:
        """The modalities that the files offer."""

    def notes(self) -> list[str]:
        """What was noticed while reading."""
        return []


def find_file(folder: Path, *names: str) -> Path:
    """The first of these files that there is.

    Raises:
        UserError: none of them is there.
    """
    for name in names:
        if (folder / name).is_file():
            return folder / name
    present = sorted(path.name for path in folder.iterdir() if path.is_file())[:8] if folder.is_dir() else []
    raise UserError(
        f"{folder / names[0]}: no such raw file; expected {' or '.join(names)}, found {', '.join(present) or 'nothing'}"
    )

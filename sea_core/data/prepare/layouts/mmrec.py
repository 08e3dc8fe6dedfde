"""A folder in MMRec's format as raw files: checked as it is, or filtered and split anew."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sea_core.data.feature_file import read_header
from sea_core.data.inter_file import read_interactions
from sea_core.data.mmrec_folder import find_interactions
from sea_core.data.prepare import columns as parse
from sea_core.data.prepare.encoding import Allocate, Encoded, Encoding, copy_vectors
from sea_core.data.prepare.interactions import RawInteractions, encode_ids
from sea_core.data.prepare.layouts.csv_tables import Table, modality_of
from sea_core.data.prepare.layouts.registry import register_layout
from sea_core.data.prepare.lines import wrong_line
from sea_core.data.prepare.raw import Content, Raw
from sea_core.errors import UserError

_LABEL = "x_label"


class FeatureFile(Content):
    """A ``.npy`` file whose row n belongs to item n."""

    def __init__(self, path: Path) -> None:
        """Take the file."""
        self.files = (path,)
        self.modality = modality_of(path)
        self._path = path

    def ids(self) -> pa.Array:
        """One item a row.

        Raises:
            UserError: the file is no table of numbers.
        """
        shape, _, _ = read_header(self._path)
        if len(shape) != 2 or 0 in shape:
            raise UserError(f"{self._path}: expected a table (items, dimensions), found shape {shape}")
        return pc.cast(pa.array(np.arange(shape[0])), pa.string())

    def encode(self, ids: pa.Array, encoding: Encoding, allocate: Allocate) -> Encoded:
        """The rows as they are."""
        vectors = np.load(self._path, mmap_mode="r", allow_pickle=False)
        place = pc.cast(ids, pa.int64()).to_numpy()
        place = np.where(place < len(vectors), place, -1)
        return copy_vectors(vectors, place, allocate, source=str(self._path), name=lambda row: f"row {row}")


@register_layout
class MMRecFiles(Raw):
    """See the module."""

    name = "mmrec"
    layout = "a folder with one .inter file (userID itemID x_label) and .npy feature files"
    k_core = 0
    keeps_items = True

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        """Find the files; a path to the ``.inter`` file stands for its folder."""
        super().__init__(path, columns)
        folder = path if path.is_dir() else path.parent
        self._inter = find_interactions(folder) if path.is_dir() else path
        self._table = Table(self._inter, delimiter="\t", quoted=False)
        for name in ("userID", "itemID"):
            self._table.require(name, name.removesuffix("ID"))
        self._contents: list[Content] = [FeatureFile(file) for file in sorted(folder.glob("*.npy"))]

    @property
    def files(self) -> list[Path]:
        """The interactions, then the features."""
        return [self._inter, *(file for content in self._contents for file in content.files)]

    def interactions(self) -> RawInteractions:
        """The rows of all splits, checked as training checks them where there is a split."""
        if _LABEL in self._table.names:
            read_interactions(self._inter)
        optional = [name for name in ("rating", "timestamp", _LABEL) if name in self._table.names]
        names = ["userID", "itemID", *optional]
        parts: list[list[Any]] = [[] for _ in names]
        for before, batch in self._table.blocks(names):
            wrong = self._table.wrong(before)
            for part, name, column in zip(parts, names, batch.columns, strict=True):
                read: Any = parse.ids if name.endswith("ID") else parse.numbers
                part.append(read(column, name, wrong))
        user, users = encode_ids(parts[0])
        item, items = encode_ids(parts[1])
        self._refuse_names(users, items)
        others = {name: np.concatenate(part) for name, part in zip(optional, parts[2:], strict=True) if part}
        label = others[_LABEL].astype(np.int64) if _LABEL in others else None
        times = others.get("timestamp")
        if times is not None and np.unique(times).size < 2:
            times = None  # MMRec's folders have a column of zeros
        return RawInteractions(user, item, users, items, others.get("rating"), times, label)

    def contents(self) -> list[Content]:
        """The feature files by name: image before text."""
        return self._contents

    def _refuse_names(self, users: pa.Array, items: pa.Array) -> None:
        for name, ids in (("userID", users), ("itemID", items)):
            for wrong_id in ids.filter(pc.invert(pc.match_substring_regex(ids, r"^(0|[1-9][0-9]{0,8})$"))).to_pylist():
                line = next(
                    number
                    for number, text in enumerate(self._inter.read_text().splitlines(), 1)
                    if re.search(rf"(^|\t){re.escape(wrong_id)}(\t|$)", text)
                )
                raise wrong_line(self._inter, line, f"a whole number from 0 in '{name}'", wrong_id)

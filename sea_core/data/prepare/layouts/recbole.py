"""RecBole's atomic files: tab-separated, with types in the header (``item_id:token``)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp

from sea_core.data.prepare import columns as parse
from sea_core.data.prepare.encoding import Allocate, Encoded, Encoding, copy_vectors, encode_counts, encode_texts
from sea_core.data.prepare.interactions import RawInteractions, encode_ids
from sea_core.data.prepare.layouts.csv_tables import Table, modality_of, refuse_repeated
from sea_core.data.prepare.layouts.registry import register_layout
from sea_core.data.prepare.lines import wrong_line
from sea_core.data.prepare.places import places
from sea_core.data.prepare.raw import Content, Raw
from sea_core.errors import UserError

TYPES = ("token", "token_seq", "float", "float_seq")
_USER, _ITEM, _ENTITY = "user_id", "item_id", "entity_id"
_FACT = ("head_id", "relation_id", "tail_id")


class Atomic:
    """An atomic file."""

    def __init__(self, path: Path, *needed: str) -> None:
        """Read the header.

        Raises:
            UserError: a column without a type, or a needed one that is missing.
        """
        self.path = path
        self.table = Table(path, delimiter="\t", quoted=False)
        self.types: dict[str, str] = {}
        for written in self.table.names:
            name, _, kind = written.partition(":")
            if kind not in TYPES:
                raise wrong_line(path, 1, f"columns as name:type with one of {', '.join(TYPES)}", written)
            self.types[name] = kind
        for name in needed:
            if name not in self.types:
                raise UserError(f"{path}, line 1: missing column '{name}', found {', '.join(self.types)}")

    def read(self, *names: str) -> list[tuple[int, list[pa.Array]]]:
        """Blocks of these columns as text, with the number of rows before each."""
        written = [f"{name}:{self.types[name]}" for name in names]
        return [(before, batch.columns) for before, batch in self.table.blocks(written)]

    def ids(self, name: str) -> pa.Array:
        """One column as ids."""
        blocks = [parse.ids(columns[0], name, self.table.wrong(before)) for before, columns in self.read(name)]
        return pa.concat_arrays(blocks) if blocks else pa.array([], pa.string())


class ItemTokens(Content):
    """The tokens that ``.item`` has of an item, as one text."""

    modality = "text"

    def __init__(self, items: Atomic) -> None:
        """Take the ``.item`` file."""
        self.files = (items.path,)
        self._items = items
        self.columns = [n for n, kind in items.types.items() if kind.startswith("token") and n != _ITEM]

    def ids(self) -> pa.Array:
        """The items of the file."""
        item_ids = self._items.ids(_ITEM)
        refuse_repeated(item_ids, self._items.table)
        return item_ids

    def encode(self, ids: pa.Array, encoding: Encoding, allocate: Allocate) -> Encoded:
        """The text of each item, by the chosen encoder."""
        texts = [""] * len(ids)
        for _, (item, *others) in self._items.read(_ITEM, *self.columns):
            rows = zip(places(item, ids), zip(*(column.to_pylist() for column in others), strict=True), strict=True)
            for number, parts in rows:
                if number >= 0:
                    texts[number] = " ".join(part.strip() for part in parts if part.strip())
        encoded = encode_texts(texts, encoding, allocate, modality=self.modality)
        return encoded._replace(about={"raw_columns": self.columns, **encoded.about})


class ItemVectors(Content):
    """A column of ``.item`` of the type ``float_seq``: numbers with spaces between."""

    def __init__(self, items: Atomic, column: str) -> None:
        """Take the file and its column."""
        self.files = (items.path,)
        self.modality = modality_of(Path(column))
        self._items, self._column = items, column

    def ids(self) -> pa.Array:
        """The items of the file."""
        return self._items.ids(_ITEM)

    def encode(self, ids: pa.Array, encoding: Encoding, allocate: Allocate) -> Encoded:
        """The vectors as they are."""
        known, rows = self.ids(), []
        for before, (column,) in self._items.read(self._column):
            wrong = self._items.table.wrong(before)
            for number, text in enumerate(column.to_pylist()):
                try:
                    rows.append([float(word) for word in text.split()])
                except ValueError:
                    raise wrong(number, f"numbers in '{self._column}'", text) from None
        dim = max(map(len, rows), default=0)
        for number, row in enumerate(rows):
            if len(row) not in (0, dim):
                raise self._items.table.wrong(0)(number, f"{dim} numbers in '{self._column}'", f"{len(row)}")
        vectors = np.array([row or [0.0] * dim for row in rows])
        place = places(ids, known)
        return copy_vectors(
            vectors, place, allocate, source=str(self.files[0]), name=lambda row: f"item {known[row].as_py()!r}"
        )


class Knowledge(Content):
    """Facts of a knowledge graph (``.kg``) about the entities that items are linked to (``.link``)."""

    modality = "knowledge"
    warning = (
        "items and entities are joined by the ids of the .link file; RecBole's own for MovieLens 100K was made for "
        "other ids (docs/data.md), so look at a few items"
    )

    def __init__(self, facts: Atomic, links: Atomic) -> None:
        """Take both files."""
        self.files = (facts.path, links.path)
        self._facts, self._links = facts, links

    def ids(self) -> None:
        """Every item: one without a link has no facts."""

    def encode(self, ids: pa.Array, encoding: Encoding, allocate: Allocate) -> Encoded:
        """TF-IDF of the (relation, tail) pairs of each item's entity, and truncated SVD."""
        item, entity = self._links.ids(_ITEM), self._links.ids(_ENTITY)
        head, relation, tail = (self._facts.ids(name) for name in _FACT)
        words = pc.binary_join_element_wise(relation, tail, " ").dictionary_encode()
        linked = places(ids, item)
        entities = pc.unique(entity)
        own = np.where(linked < 0, len(entities), places(entity, entities)[linked])  # the last has no facts
        about = places(head, entities)
        known = about >= 0
        size = (len(entities) + 1, max(len(words.dictionary), 1))
        facts = sp.coo_array((known.astype(int)[known], (about[known], words.indices.to_numpy()[known])), shape=size)
        table = sp.csr_array(facts.tocsr()[own])
        table.sum_duplicates()
        # A fact of a single item says nothing about similarity.
        shared = np.asarray((table > 0).sum(axis=0)).ravel() >= 2
        return encode_counts(sp.csr_array(table[:, shared]), encoding, allocate, modality=self.modality)


@register_layout
class RecBole(Raw):
    """See the module."""

    name = "recbole"
    layout = "NAME.inter with NAME.item, and NAME.kg with NAME.link: RecBole's atomic files"

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        """Find the files; a path to an ``.inter`` file stands for those of its name."""
        super().__init__(path, columns)
        if path.is_dir():
            inter_files = sorted(path.glob("*.inter"))
            named = path / f"{path.name}.inter"
            if named in inter_files:
                inter_files = [named]
            if len(inter_files) != 1:
                shown = ", ".join(file.name for file in inter_files) or "none"
                raise UserError(f"{path}: expected one .inter file, or {named.name}, found {shown}; give its path")
            path = inter_files[0]
        self._inter = Atomic(path, _USER, _ITEM)
        present = {kind: path.with_suffix(f".{kind}") for kind in ("item", "kg", "link")}
        self._contents: list[Content] = []
        if present["item"].is_file():
            items = Atomic(present["item"], _ITEM)
            self._contents += [ItemVectors(items, n) for n, kind in items.types.items() if kind == "float_seq"]
            tokens = ItemTokens(items)
            self._contents += [tokens] if tokens.columns else []
        if present["kg"].is_file() and present["link"].is_file():
            self._contents.append(Knowledge(Atomic(present["kg"], *_FACT), Atomic(present["link"], _ITEM, _ENTITY)))

    @property
    def files(self) -> list[Path]:
        """The interactions, then the content."""
        return [self._inter.path, *(file for content in self._contents for file in content.files)]

    def interactions(self) -> RawInteractions:
        """The rows of ``.inter``, with rating and timestamp where it has them."""
        readers: dict[str, Any] = {"rating": parse.numbers, "timestamp": parse.numbers}
        present = [name for name in readers if name in self._inter.types]
        parts: list[list[Any]] = [[] for _ in range(2 + len(present))]
        for before, columns in self._inter.read(_USER, _ITEM, *present):
            wrong = self._inter.table.wrong(before)
            for part, name, column in zip(parts, (_USER, _ITEM, *present), columns, strict=True):
                part.append(readers.get(name, parse.ids)(column, name, wrong))
        user, users = encode_ids(parts[0])
        item, items = encode_ids(parts[1])
        others = {name: np.concatenate(p) for name, p in zip(present, parts[2:], strict=True) if p}
        return RawInteractions(user, item, users, items, others.get("rating"), others.get("timestamp"))

    def contents(self) -> list[Content]:
        """Vectors, text and knowledge, as far as there are such files."""
        return self._contents

"""Amazon reviews of 2014, 2018 and 2023: reviews, metadata and image features (McAuley et al. 2015; Ni et al. 2019).

| | reviews | metadata | images |
|---|---|---|---|
| 2014 | ``reviews_*.json.gz`` | ``meta_*.json.gz``, Python literals | ``image_features_*.b`` |
| 2018 | ``CATEGORY.json.gz`` | ``meta_*.json.gz`` | ``image_features_*.b`` |
| 2023 | ``CATEGORY.jsonl.gz`` | ``meta_*.jsonl.gz`` | |

All may be uncompressed. An image record is the item's id in 10 bytes and 4,096 little-endian float32 numbers.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sea_core.data.prepare.encoding import Allocate, Encoded, Encoding, copy_vectors, encode_texts
from sea_core.data.prepare.interactions import RawInteractions, encode_ids
from sea_core.data.prepare.layouts.registry import register_layout
from sea_core.data.prepare.lines import Block, blocks_of_lines, wrong_line
from sea_core.data.prepare.places import places
from sea_core.data.prepare.raw import Content, Raw
from sea_core.data.prepare.records import first_record, parse_record, record_columns
from sea_core.errors import UserError

# What the columns user, item, rating and time are called; the first whose ids a record has is the file's.
_REVIEW_KEYS = (
    ("reviewerID", "asin", "overall", "unixReviewTime"),
    ("user_id", "parent_asin", "rating", "timestamp"),
    ("user_id", "asin", "rating", "timestamp"),
)
_ITEM_KEYS = ("parent_asin", "asin")
# Of the metadata, what describes an item in words; in the three years' names.
TEXT_KEYS = ("title", "brand", "store", "main_category", "categories", "category", "feature", "features", "description")
IMAGE = np.dtype([("id", "S10"), ("vector", "<f4", (4096,))])

_JSON = re.compile(r"\.jsonl?(\.gz)?$")
_TAG = re.compile(r"<[^>]*>")


class Metadata(Content):
    """Titles, brands, categories, features and descriptions as one text."""

    modality = "text"

    def __init__(self, files: Sequence[Path]) -> None:
        """Take the metadata files."""
        self.files = tuple(files)
        self._ids: pa.Array | None = None

    def ids(self) -> pa.Array:
        """Items with a line of their own; of several, the first counts."""
        if self._ids is None:
            blocks = [block.dictionary_encode() for path in self.files for block in self._ids_of(path) if len(block)]
            self._ids = pc.unique(pa.chunked_array(blocks).unify_dictionaries().cast(pa.string()))
        return self._ids

    def encode(self, ids: pa.Array, encoding: Encoding, allocate: Allocate) -> Encoded:
        """The text of each item, by the chosen encoder."""
        place = {name: number for number, name in enumerate(ids.to_pylist())}
        texts = [""] * len(place)
        for path in self.files:
            key = self._key(path)
            wanted = re.compile(rb"""["']%s["']\s*:\s*["']([^"']*)["']""" % key.encode())
            for block in blocks_of_lines(path):
                for offset, line in enumerate(block.data.split(b"\n")):
                    id_match = wanted.search(line)
                    if not line.strip() or (id_match and id_match[1].decode("utf-8", "replace") not in place):
                        continue
                    record = _record(path, block, offset, line)
                    number = place.get(str(record.get(key, "")).strip())
                    if number is not None and not texts[number]:
                        texts[number] = text_of(record)
        encoded = encode_texts(texts, encoding, allocate, modality=self.modality)
        return encoded._replace(about={"raw_columns": list(TEXT_KEYS), **encoded.about})

    def _ids_of(self, path: Path) -> Iterator[pa.Array]:
        """Ids of a file. Python literals are not parsed here: only their ends are looked at, and their id."""
        key = self._key(path)
        wanted = re.compile(rb"""["']%s["']\s*:\s*["']([^"']+)["']""" % key.encode())
        if not is_python(path):
            for (column,) in record_columns(path, {key: "id"}):
                yield pc.utf8_trim_whitespace(column)
            return
        for block in blocks_of_lines(path):
            ids = []
            for offset, line in enumerate(block.data.split(b"\n")):
                line = line.strip()
                if not line:
                    continue
                id_match = wanted.search(line)
                if id_match is None or not (line.startswith(b"{") and line.endswith(b"}")):
                    value = _record(path, block, offset, line).get(key)
                    if not value:
                        raise wrong_line(path, block.first_line + offset, f"an id in '{key}'", "nothing")
                    ids.append(str(value).strip())
                else:
                    ids.append(id_match[1].decode("utf-8", "replace").strip())
            yield pa.array(ids, type=pa.string())

    def _key(self, path: Path) -> str:
        record = first_record(path)
        for key in _ITEM_KEYS:
            if key in record:
                return key
        raise wrong_line(path, 1, f"an item's id in {' or '.join(_ITEM_KEYS)}", ", ".join(map(str, record)))


class Images(Content):
    """Image features as they were published."""

    modality = "image"

    def __init__(self, files: Sequence[Path]) -> None:
        """Take the ``.b`` files."""
        self.files = tuple(files)

    @cached_property
    def parts(self) -> list[tuple[pa.Array, np.ndarray]]:
        """Ids and records of each file, looked through once."""
        return [read_images(path) for path in self.files]

    def ids(self) -> pa.Array:
        """Items with a record of their own."""
        return pc.unique(pa.concat_arrays([ids for ids, _ in self.parts]))

    def encode(self, ids: pa.Array, encoding: Encoding, allocate: Allocate) -> Encoded:
        """The records' vectors."""
        known = pa.concat_arrays([names for names, _ in self.parts])
        vectors = _Joined([records["vector"] for _, records in self.parts])
        source = ", ".join(map(str, self.files))
        return copy_vectors(
            vectors, places(ids, known), allocate, source=source, name=lambda row: f"item {known[row].as_py()!r}"
        )


class _Joined:
    """Tables of vectors on disk as one, as far as reading some rows goes."""

    def __init__(self, tables: Sequence[np.ndarray]) -> None:
        self._tables = tables
        self._starts = np.cumsum([0, *(len(table) for table in tables)])
        self.shape = (int(self._starts[-1]), tables[0].shape[1])

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        result = np.empty((len(rows), self.shape[1]), dtype=np.float32)
        for table, start, end in zip(self._tables, self._starts, self._starts[1:], strict=False):
            here = (rows >= start) & (rows < end)
            result[here] = table[rows[here] - start]
        return result


@register_layout
class Amazon(Raw):
    """See the module."""

    name = "amazon"
    layout = (
        "reviews_*.json.gz (2014), CATEGORY.json.gz (2018) or CATEGORY.jsonl.gz (2023), with meta_* and "
        "image_features_*.b"
    )

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        """Find reviews, metadata and image features; a path to reviews takes those of the same category."""
        super().__init__(path, columns)
        folder = path if path.is_dir() else path.parent
        present = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
        records = [file for file in present if _JSON.search(file.name)]
        metadata = [file for file in records if file.name.startswith("meta_")]
        named = [file for file in records if file.name.startswith("reviews_")]
        images = [file for file in present if file.suffix == ".b"]
        if path.is_dir():
            self._reviews = named or [file for file in records if file not in metadata]
            if not self._reviews:
                file_names = ", ".join(file.name for file in present[:8]) or "nothing"
                raise UserError(f"{folder}: no reviews; expected {self.layout}, found {file_names}")
            self._refuse_versions()
        else:
            self._reviews = [path]
            metadata, images = ([f for f in files if category(f) == category(path)] for files in (metadata, images))
        self._contents: list[Content] = [
            *([Images(images)] if images else []),
            *([Metadata(metadata)] if metadata else []),
        ]

    @property
    def files(self) -> list[Path]:
        """Reviews, then the content."""
        return [*self._reviews, *(file for content in self._contents for file in content.files)]

    def interactions(self) -> RawInteractions:
        """Every review as an interaction."""
        users: list[pa.Array] = []
        items: list[pa.Array] = []
        ratings, times = [], []
        for path in self._reviews:
            user, item, rating, time = _review_keys(path)
            fields: Any = {user: "id", item: "id", rating: "number", time: "number"}
            for block in record_columns(path, fields):
                users.append(pc.utf8_trim_whitespace(block[0]).dictionary_encode())
                items.append(pc.utf8_trim_whitespace(block[1]).dictionary_encode())
                ratings.append(block[2].to_numpy(zero_copy_only=False).astype(np.float32))
                times.append(block[3].to_numpy(zero_copy_only=False))
        user_codes, user_ids = encode_ids(users)
        item_codes, item_ids = encode_ids(items)
        del users, items
        return RawInteractions(user_codes, item_codes, user_ids, item_ids, rating=_known(ratings), time=_known(times))

    def contents(self) -> list[Content]:
        """Images, then text, as in MMRec."""
        return self._contents

    def _refuse_versions(self) -> None:
        """The 5-core of a category is a part of it; both together would count it twice."""
        seen: dict[str, Path] = {}
        for file in self._reviews:
            other = seen.setdefault(category(file), file)
            if other != file:
                raise UserError(
                    f"{file.parent}: {other.name} and {file.name} are reviews of one category; give the file you want"
                )


def category(path: Path) -> str:
    """``reviews_Baby_5.json.gz`` -> ``Baby``."""
    name = re.sub(r"\.(b|jsonl?(\.gz)?)$", "", path.name)
    return re.sub(r"_5$", "", re.sub(r"^(reviews|meta|image_features)_", "", name))


def is_python(path: Path) -> bool:
    """Whether records are Python literals, which begin a string with a single quote as no JSON does."""
    for block in blocks_of_lines(path, size=1 << 16):
        if block.data.strip():
            return bool(re.match(rb"\s*\{\s*u?'", block.data))
    return False


def read_images(path: Path) -> tuple[pa.Array, np.ndarray]:
    """Ids and records of a ``.b`` file; the records stay on disk.

    Raises:
        UserError: its size is no multiple of a record's, or an id is not made of letters and digits.
    """
    size = path.stat().st_size
    if size == 0 or size % IMAGE.itemsize:
        raise UserError(
            f"{path}: truncated or of another layout: expected records of {IMAGE.itemsize:,} bytes (an id of 10 and "
            f"4,096 float32 numbers), found {size:,} bytes; copy the file again"
        )
    records = np.memmap(path, dtype=IMAGE, mode="r")
    names = records["id"]
    stripped = np.char.strip(names)
    wrong = ~np.char.isalnum(stripped)
    if wrong.any():
        record = int(wrong.argmax())
        raise UserError(
            f"{path}, record {record + 1}: expected an item's id in the first 10 bytes, found {bytes(names[record])!r}"
        )
    return pa.array(stripped.astype("U10")), records


def text_of(record: Mapping[str, Any]) -> str:
    """What describes the item in words, without markup."""
    words = " ".join(part for key in TEXT_KEYS for part in _strings(record.get(key)))
    return " ".join(html.unescape(_TAG.sub(" ", words)).split())


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _strings(each)


def _review_keys(path: Path) -> tuple[str, str, str, str]:
    record = first_record(path)
    for keys in _REVIEW_KEYS:
        if keys[0] in record and keys[1] in record:
            time = "sort_timestamp" if keys[3] not in record and "sort_timestamp" in record else keys[3]
            return (*keys[:3], time)
    wanted = " or ".join(f"{keys[0]} and {keys[1]}" for keys in _REVIEW_KEYS)
    raise wrong_line(path, 1, f"a review with {wanted}", ", ".join(map(str, record)))


def _record(path: Path, block: Block, offset: int, line: bytes) -> dict[str, Any]:
    return parse_record(path, block.first_line + offset, line.decode("utf-8", "replace"))


def _known(parts: list[np.ndarray]) -> np.ndarray | None:
    """One column of all blocks, None where no review has a value."""
    values = np.concatenate(parts) if parts else np.empty(0)
    return None if np.isnan(values).all() else values

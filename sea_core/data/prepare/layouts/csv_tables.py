"""The layout ``csv``: ``interactions.csv``, ``items.csv`` with text columns, and feature files; any separator."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from sea_core.data.feature_file import read_header
from sea_core.data.prepare import columns as parse
from sea_core.data.prepare.encoding import Allocate, Encoded, Encoding, copy_vectors, encode_texts
from sea_core.data.prepare.interactions import RawInteractions, encode_ids
from sea_core.data.prepare.layouts.registry import register_layout
from sea_core.data.prepare.lines import open_raw, wrong_line
from sea_core.data.prepare.places import places
from sea_core.data.prepare.raw import Content, Raw, find_file
from sea_core.errors import UserError, suggest

REQUIRED, OPTIONAL = ("user", "item"), ("time", "rating")
_TABLES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".parquet")
_BLOCK_BYTES = 16 * 2**20
_FEATURE_SUFFIX = re.compile(r"[_.-](feat|feats|features?|embeddings?|emb)$")
_MODALITY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")

# Blocks of rows, and the number of rows before each.
Blocks = Iterator[tuple[int, pa.RecordBatch]]


class Table:
    """A table on disk, of which some columns are read as text."""

    def __init__(self, path: Path, *, delimiter: str | None = None, quoted: bool = True) -> None:
        """Read the names of the columns.

        Args:
            path: the file, plain or compressed, or Parquet.
            delimiter: between values; None takes the commonest of ``,``, tab, ``;`` and ``|`` in the header.
            quoted: values may stand in quotes, and then hold delimiters and line ends.

        Raises:
            UserError: the file cannot be read, is empty, or names a column twice.
        """
        self.path = path
        self.quoted = quoted
        self.is_parquet = path.suffix == ".parquet"
        try:
            if self.is_parquet:
                self.names = list(pyarrow.parquet.read_schema(path).names)
            else:
                with open_raw(path) as file:
                    header = file.readline(1 << 20).decode("utf-8-sig").rstrip("\r\n")
                self.delimiter = delimiter or max(",\t;|", key=header.count)
                self.names = [name.strip() for name in next(self._reader([header]), [])]
        except (OSError, EOFError, ValueError, pa.ArrowException) as error:
            raise UserError(f"{path}: cannot be read: {' '.join(str(error).split())[:160]}") from None
        if not any(self.names):
            raise UserError(f"{path}: the file is empty; expected a header with the names of the columns")
        for name in self.names:
            if self.names.count(name) > 1:
                raise UserError(f"{path}, line 1: column '{name}' appears twice")

    def require(self, name: str, written: str) -> None:
        """Refuse a table without a column; ``written`` is what this program calls it."""
        if name not in self.names:
            hint = f"; name yours with --columns {written}=NAME" if name == written else ""
            raise UserError(f"{self.path}, line 1: missing column '{name}', found {', '.join(self.names)}{hint}")

    def blocks(self, columns: list[str]) -> Blocks:
        """Blocks of these columns, all text.

        Raises:
            UserError: a row with more or fewer values than the header, or a file that ends early.
        """
        before = 0
        uneven: list[pyarrow.csv.InvalidRow] = []

        def note_uneven(row: pyarrow.csv.InvalidRow) -> str:
            uneven.append(row)
            return "error"

        try:
            for batch in self._parquet(columns) if self.is_parquet else self._text(columns, note_uneven):
                yield before, batch
                before += batch.num_rows
        except (pa.ArrowException, OSError, ValueError, EOFError) as error:
            if uneven:
                expected = f"{uneven[0].expected_columns} values as in the header"
                line = self._first_uneven_line(uneven[0].expected_columns)
                raise wrong_line(self.path, line, expected, f"{uneven[0].actual_columns}") from None
            if "UTF8" in str(error):
                raise wrong_line(self.path, self._first_other_text(), "UTF-8 text", "other bytes") from None
            reason = " ".join(str(error).split())[:160]
            raise UserError(f"{self.path}: not a whole table: {reason}; copy the file again") from None

    def line_of(self, row: int) -> int:
        """The line of a row (from 0), the header and values of several lines counted; the row itself for Parquet."""
        if self.is_parquet:
            return row + 1
        with open_raw(self.path) as raw:
            reader = self._reader(line.decode("utf-8", "replace") for line in raw)
            start, number = 1, -1  # the header is no row, nor are blank lines
            for values in reader:
                if values and number == row:
                    break
                number += bool(values)
                start = reader.line_num + 1
        return start

    def wrong(self, before: int) -> parse.Wrong:
        """How to complain about a row of a block that ``before`` rows come before."""
        return lambda row, expected, actual: wrong_line(self.path, self.line_of(before + row), expected, actual)

    def _reader(self, lines: Iterable[str]) -> Any:
        if self.quoted:
            return csv.reader(lines, delimiter=self.delimiter)
        return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)

    def _first_uneven_line(self, expected: int) -> int:
        """Looked for again, because a value of several lines makes lines and rows differ."""
        with open_raw(self.path) as raw:
            reader = self._reader(line.decode("utf-8", "replace") for line in raw)
            start = 1
            for values in reader:
                if values and len(values) != expected:
                    break
                start = reader.line_num + 1
        return start

    def _first_other_text(self) -> int:
        with open_raw(self.path) as raw:
            for number, line in enumerate(raw, 1):
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError:
                    return number
        return 1

    def _text(self, columns: list[str], note_uneven: Any) -> Iterator[pa.RecordBatch]:
        yield from pyarrow.csv.open_csv(
            self.path,
            read_options=pyarrow.csv.ReadOptions(
                block_size=_BLOCK_BYTES, use_threads=False, column_names=self.names, skip_rows=1
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=self.delimiter,
                quote_char='"' if self.quoted else False,
                newlines_in_values=self.quoted,
                invalid_row_handler=note_uneven,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=columns,
                column_types=dict.fromkeys(columns, pa.string()),
                strings_can_be_null=False,
            ),
        )

    def _parquet(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        with pyarrow.parquet.ParquetFile(self.path) as file:
            for batch in file.iter_batches(columns=columns):
                arrays = [pc.fill_null(pc.cast(batch.column(name), pa.string()), "") for name in columns]
                yield pa.RecordBatch.from_arrays(arrays, columns)


class ItemText(Content):
    """Text columns of ``items.csv``, joined."""

    modality = "text"

    def __init__(self, table: Table, item: str) -> None:
        """Take the table and what it calls its items."""
        self.files = (table.path,)
        self.columns = [name for name in table.names if name != item]
        self._table, self._item = table, item
        self._ids: pa.Array | None = None

    def ids(self) -> pa.Array:
        """The items, in the order of the file.

        Raises:
            UserError: an item without an id, or two rows of one.
        """
        if self._ids is None:
            blocks = [
                parse.ids(batch.column(0), self._item, self._table.wrong(before))
                for before, batch in self._table.blocks([self._item])
            ]
            self._ids = pa.concat_arrays(blocks) if blocks else pa.array([], pa.string())
            refuse_repeated(self._ids, self._table)
        return self._ids

    def encode(self, ids: pa.Array, encoding: Encoding, allocate: Allocate) -> Encoded:
        """The text columns of each item, by the chosen encoder."""
        texts = [""] * len(ids)
        for _, batch in self._table.blocks([self._item, *self.columns]):
            place = pc.index_in(pc.utf8_trim_whitespace(batch.column(0)), value_set=ids)
            known = place.is_valid()
            chosen = [batch.column(n).filter(known).to_pylist() for n in range(1, batch.num_columns)]
            for number, parts in zip(place.filter(known).to_pylist(), zip(*chosen, strict=True), strict=True):
                texts[number] = " ".join(part.strip() for part in parts if part.strip())
        encoded = encode_texts(texts, encoding, allocate, modality=self.modality)
        return encoded._replace(about={"raw_columns": self.columns, **encoded.about})


class Vectors(Content):
    """A feature file: ``.npy`` in the order of ``items.csv``, or a table keyed by item."""

    def __init__(self, path: Path, item: str, items: ItemText | None, columns: Mapping[str, str]) -> None:
        """Take the file; its name without ``_feat`` and the like is the modality's."""
        self.files = (path,) if path.suffix != ".npy" or items is None else (path, *items.files)
        self.modality = modality_of(path)
        self._path, self._item, self._items = path, item, items

    def ids(self) -> pa.Array:
        """The items it has a row for."""
        return self._read()[0]

    def encode(self, ids: pa.Array, encoding: Encoding, allocate: Allocate) -> Encoded:
        """The rows of these items, as they are."""
        known, vectors = self._read()
        place = places(ids, known)
        return copy_vectors(
            vectors, place, allocate, source=str(self._path), name=lambda row: f"item {known[row].as_py()!r}"
        )

    def _read(self) -> tuple[pa.Array, Any]:
        if self._path.suffix != ".npy":
            return read_vector_table(self._path, self._item)
        if self._items is None:
            raise UserError(
                f"{self._path}: its rows have no ids: add items.csv, whose order they follow, or save the features as "
                "Parquet or CSV with a column 'item'"
            )
        shape, _, _ = read_header(self._path)
        known = self._items.ids()
        if len(shape) != 2 or shape[0] != len(known) or shape[1] == 0:
            raise UserError(
                f"{self._path}: expected {len(known)} rows, one per item of {self._items.files[0].name} and in its "
                f"order, found shape {shape}"
            )
        return known, np.load(self._path, mmap_mode="r", allow_pickle=False)


def read_vector_table(path: Path, item: str) -> tuple[pa.Array, np.ndarray]:
    """Ids and vectors of a Parquet or CSV file: a column of ids, and columns of numbers or one of lists of numbers.

    Raises:
        UserError: it is not so.
    """
    table = Table(path)
    table.require(item, "item")
    others = [name for name in table.names if name != item]
    if not others:
        raise UserError(f"{path}: expected columns of numbers beside '{item}', found none")
    if table.is_parquet:
        try:
            content = pyarrow.parquet.read_table(path)
        except (pa.ArrowException, OSError) as error:
            raise UserError(f"{path}: not a whole table: {' '.join(str(error).split())[:160]}") from None
        known = parse.ids(pc.cast(content[item].combine_chunks(), pa.string()), item, table.wrong(0))
        refuse_repeated(known, table)
        return known, _numbers_of(content, others, path)
    blocks = [(before, batch) for before, batch in table.blocks([item, *others])]
    known = [parse.ids(batch.column(0), item, table.wrong(before)) for before, batch in blocks]
    joined = pa.concat_arrays(known) if known else pa.array([], pa.string())
    refuse_repeated(joined, table)
    vectors = [
        np.stack(
            [parse.numbers(batch.column(n + 1), name, table.wrong(before)) for n, name in enumerate(others)], axis=1
        )
        for before, batch in blocks
    ]
    return joined, np.concatenate(vectors) if vectors else np.empty((0, len(others)))


def refuse_repeated(ids: pa.Array, table: Table) -> None:
    """Refuse a table with two rows of one item."""
    if len(pc.unique(ids)) == len(ids):
        return
    first: dict[str, int] = {}
    for row, name in enumerate(ids.to_pylist()):
        if name in first:
            lines = table.line_of(row), table.line_of(first[name])
            raise wrong_line(table.path, lines[0], f"one row per item; {name!r} is in line {lines[1]} already", name)
        first[name] = row


def modality_of(path: Path) -> str:
    """``image_feat.npy`` -> ``image``.

    Raises:
        UserError: the rest is no name of a modality.
    """
    name = _FEATURE_SUFFIX.sub("", path.name.partition(".")[0])
    if not _MODALITY.fullmatch(name):
        raise UserError(f"{path}: its name gives its modality's, expected letters, digits, - and _, got {name!r}")
    return name


@register_layout
class CsvTables(Raw):
    """See the module."""

    name = "csv"
    layout = (
        "interactions.csv (user item [time] [rating]), items.csv (item and text columns), features as .npy, .parquet "
        "or .csv"
    )

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        """Find the tables; a path to the interactions stands for its folder."""
        known = (*REQUIRED, *OPTIONAL)
        for name in columns:
            if name not in known:
                raise UserError(f"--columns: unknown column '{name}'{suggest(name, known)}")
        self.path, self._columns = path, columns
        folder = path if path.is_dir() else path.parent
        names = [f"interactions{suffix}" for suffix in _TABLES]
        self._interactions = Table(find_file(folder, *names) if path.is_dir() else path)
        item = columns.get("item", "item")
        tables = [folder / f"items{suffix}" for suffix in _TABLES if (folder / f"items{suffix}").is_file()]
        items: ItemText | None = None
        if tables:
            table = Table(tables[0])
            table.require("item" if "item" in table.names else item, "item")
            items = ItemText(table, "item" if "item" in table.names else item)
        taken = {self._interactions.path, *tables}
        files = [
            file
            for pattern in ("*.npy", "*.parquet", "*.csv", "*.tsv")
            for file in folder.glob(pattern)
            if file not in taken and (path.is_dir() or file.suffix in (".npy", ".parquet"))
        ]
        vectors = [Vectors(file, item, items, columns) for file in sorted(files)]
        self._contents: list[Content] = [*vectors, *([items] if items is not None and items.columns else [])]
        names = [content.modality for content in self._contents]
        for content in vectors:
            if names.count(content.modality) > 1:
                raise UserError(
                    f"{content.files[0]}: another file gives the modality '{content.modality}' too; rename one of them"
                )

    @property
    def files(self) -> list[Path]:
        """The interactions, then the content."""
        return [self._interactions.path, *(file for content in self._contents for file in content.files)]

    def interactions(self) -> RawInteractions:
        """The rows of the interactions; time and rating where there are such columns."""
        table = self._interactions
        called = {name: self._columns.get(name, name) for name in (*REQUIRED, *OPTIONAL)}
        for name in REQUIRED:
            table.require(called[name], name)
        for name in OPTIONAL:
            if name in self._columns:
                table.require(called[name], name)
        present = {name: column for name, column in called.items() if column in table.names}
        parts: dict[str, list[Any]] = {name: [] for name in present}
        for before, batch in table.blocks(list(present.values())):
            wrong = table.wrong(before)
            for number, (name, column) in enumerate(present.items()):
                read: Any = {"time": parse.times, "rating": parse.numbers}.get(name, parse.ids)
                parts[name].append(read(batch.column(number), column, wrong))
        user, users = encode_ids(parts["user"])
        item, items = encode_ids(parts["item"])
        others = {name: np.concatenate(parts[name]) for name in OPTIONAL if parts.get(name)}
        return RawInteractions(user, item, users, items, **others)

    def contents(self) -> list[Content]:
        """Feature files by name, then the text."""
        return self._contents


def _numbers_of(content: pa.Table, names: list[str], path: Path) -> np.ndarray:
    expected = "columns of numbers, or one of lists of numbers of one length"
    try:
        if len(names) == 1 and pa.types.is_nested(content[names[0]].type):
            lists = content[names[0]].to_pylist()
            return np.array(lists, dtype=np.float64).reshape(len(lists), -1)
        return np.stack([pc.cast(content[name], pa.float64()).to_numpy() for name in names], axis=1)
    except (pa.ArrowException, ValueError, TypeError):
        raise UserError(f"{path}: expected {expected} beside the items") from None

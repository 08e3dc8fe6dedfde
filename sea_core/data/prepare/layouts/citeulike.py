"""CiteULike's files (Wang, Chen and Li, IJCAI 2013): a line per user, item or tag, that starts with a count.

Users and items are known by their line, from 0. ``users.dat`` has each user's items, ``mult.dat`` each item's bag of
words (``word:count``), ``citations.dat`` each item's cited items, ``tag-item.dat`` each tag's items.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
from jaxtyping import Int

from sea_core.data.prepare.encoding import Allocate, Encoded, Encoding, encode_counts, encode_links
from sea_core.data.prepare.interactions import RawInteractions
from sea_core.data.prepare.layouts.registry import register_layout
from sea_core.data.prepare.lines import numbered_lines, wrong_line
from sea_core.data.prepare.raw import Content, Raw, find_file
from sea_core.errors import UserError

USERS, WORDS, CITATIONS = "users.dat", "mult.dat", "citations.dat"
TAGS, ITEM_TAGS = "tag-item.dat", "item-tag.dat"
VOCABULARY = "vocabulary.dat"


class Lists(NamedTuple):
    """A file of lists: ``row`` (line, from 0), ``value`` and ``amount`` of each entry, and the number of lines."""

    row: Int[np.ndarray, " entries"]
    value: Int[np.ndarray, " entries"]
    amount: Int[np.ndarray, " entries"]
    lines: int

    def table(self, columns: int) -> sp.csr_array:
        """The lists as a table of counts, lines x values."""
        table = sp.coo_array((self.amount, (self.row, self.value)), shape=(self.lines, columns)).tocsr()
        table.sort_indices()
        return table


def read_lists(path: Path, *, what: str, counted: bool = False) -> Lists:
    """Read lines of a count and as many entries: whole numbers from 0, or ``number:count`` where ``counted``.

    Raises:
        UserError: a line that is not so.
    """
    rows, values, counts = [], [], []
    lines, blank = 0, 0
    expected = f"a count and as many {what}s as {'number:count' if counted else 'whole numbers'}"
    for number, line in numbered_lines(path):
        words = line.split()
        if not words:
            blank = blank or number
            continue
        if blank:  # one at the end says nothing, any other would shift what follows
            raise wrong_line(path, blank, expected, "an empty line")
        lines = number
        try:
            entries = [(*map(int, word.split(":")),) for word in words[1:]]
        except ValueError:
            raise wrong_line(path, number, expected, line) from None
        if any(len(entry) != 1 + counted or min(entry) < 0 for entry in entries):
            raise wrong_line(path, number, expected, line)
        if words[0] != str(len(entries)):
            raise wrong_line(path, number, expected, f"{len(entries)} after the count {words[0]!r}")
        rows += [number - 1] * len(entries)
        values += [entry[0] for entry in entries]
        counts += [entry[1] if counted else 1 for entry in entries]
    if not lines:
        raise UserError(f"{path}: the file is empty; expected {expected} in each line")
    if values and max(values) >= 2**31:
        bad = int(np.argmax(np.array(values) >= 2**31))
        raise wrong_line(path, rows[bad] + 1, f"numbers below {2**31}", str(values[bad]))
    row, value, amount = (np.array(column, dtype=np.int64) for column in (rows, values, counts))
    return Lists(row, value, amount, lines)


class Words(Content):
    """Bags of words."""

    modality = "text"

    def __init__(self, path: Path, vocabulary: Path | None) -> None:
        """Take ``mult.dat``, and ``vocabulary.dat`` where it is there, whose lines are the words."""
        self.files = (path,) if vocabulary is None else (path, vocabulary)
        self._path, self._vocabulary = path, vocabulary
        self._lists: Lists | None = None

    @property
    def lists(self) -> Lists:
        """The file's content, read once."""
        if self._lists is None:
            self._lists = read_lists(self._path, what="word", counted=True)
        return self._lists

    def ids(self) -> pa.Array:
        """All lines."""
        return _line_ids(self.lists.lines)

    def encode(self, ids: pa.Array, encoding: Encoding, allocate: Allocate) -> Encoded:
        """TF-IDF of the words of these items and truncated SVD."""
        if encoding.text != "tfidf-svd":
            raise UserError(f"--text {encoding.text} needs running text; {self._path.name} has bags of words")
        words = 1 + int(self.lists.value.max(initial=-1))
        if self._vocabulary is not None:
            known = sum(1 for _ in numbered_lines(self._vocabulary))
            if words > known:
                bad = int((self.lists.value >= known).argmax())
                place = int(self.lists.row[bad]) + 1
                raise wrong_line(self._path, place, f"words below {known}, the lines of {VOCABULARY}", str(words - 1))
        table = self.lists.table(max(words, 1))
        return encode_counts(_rows(table, ids), encoding, allocate, modality=self.modality)


class Links(Content):
    """Links between items, in both directions."""

    modality = "citations"

    def __init__(self, path: Path) -> None:
        """Take ``citations.dat``."""
        self.files = (path,)
        self._path = path
        self._lists: Lists | None = None

    @property
    def lists(self) -> Lists:
        """The file's content, read once."""
        if self._lists is None:
            lists = read_lists(self._path, what="cited item")
            if lists.value.max(initial=-1) >= lists.lines:
                bad = int((lists.value >= lists.lines).argmax())
                wrong_list = str(lists.value[bad])
                raise wrong_line(
                    self._path, int(lists.row[bad]) + 1, f"items below {lists.lines}, its lines", wrong_list
                )
            self._lists = lists
        return self._lists

    def ids(self) -> pa.Array:
        """All lines."""
        return _line_ids(self.lists.lines)

    def encode(self, ids: pa.Array, encoding: Encoding, allocate: Allocate) -> Encoded:
        """SVD of these items' rows of the symmetric graph. Columns are all items: one dropped still links two."""
        graph = self.lists.table(self.lists.lines)
        return encode_links(_rows(sp.csr_array(graph + graph.T), ids), encoding, allocate, modality=self.modality)


class Tags(Content):
    """Which tags users gave an item."""

    modality = "tags"
    by_default = False
    warning = (
        "tags are made by the users whose choices are predicted: as item content they leak what is to be predicted"
    )

    def __init__(self, path: Path) -> None:
        """Take ``tag-item.dat``, or ``item-tag.dat`` of citeulike-a, which has a line per item."""
        self.files = (path,)
        self._path = path

    def ids(self) -> None:
        """Every item: one without a tag was not tagged."""

    def encode(self, ids: pa.Array, encoding: Encoding, allocate: Allocate) -> Encoded:
        """TF-IDF of the tags of these items and truncated SVD."""
        largest = int(pc.max(pc.cast(ids, pa.int64())).as_py())
        if self._path.name == ITEM_TAGS:
            lists = read_lists(self._path, what="tag")
            table = lists.table(int(lists.value.max(initial=0)) + 1)
            if lists.lines <= largest:
                raise UserError(
                    f"{self._path}: one line per item expected, {largest + 1:,} or more, found {lists.lines:,}"
                )
        else:
            lists = read_lists(self._path, what="item")
            table = sp.csr_array(lists.table(max(int(lists.value.max(initial=0)), largest) + 1).T)
        return encode_counts(_rows(table, ids), encoding, allocate, modality=self.modality)


@register_layout
class CiteULike(Raw):
    """See the module."""

    name = "citeulike"
    layout = "users.dat, mult.dat and/or citations.dat (tag-item.dat, vocabulary.dat)"

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        """Find the files; a path to ``users.dat`` stands for its folder."""
        super().__init__(path, columns)
        folder = path if path.is_dir() else path.parent
        self._users = find_file(folder, USERS) if path.is_dir() else path
        present = {
            name: folder / name for name in (WORDS, CITATIONS, TAGS, ITEM_TAGS, VOCABULARY) if (folder / name).is_file()
        }
        if WORDS not in present and CITATIONS not in present:
            raise UserError(f"{folder / WORDS}: no such raw file; expected {WORDS} or {CITATIONS} beside {USERS}")
        self._contents: list[Content] = []
        if WORDS in present:
            self._contents.append(Words(present[WORDS], present.get(VOCABULARY)))
        if CITATIONS in present:
            self._contents.append(Links(present[CITATIONS]))
        if tags := present.get(TAGS, present.get(ITEM_TAGS)):
            self._contents.append(Tags(tags))

    @property
    def files(self) -> list[Path]:
        """``users.dat``, then the content."""
        return [self._users, *(file for content in self._contents for file in content.files)]

    def interactions(self) -> RawInteractions:
        """Who has which item; items are the lines of the content, which must agree on their number."""
        lists = read_lists(self._users, what="item")
        sizes = {c.files[0].name: c.lists.lines for c in self._contents if isinstance(c, Words | Links)}
        items = max(sizes.values())
        if len(set(sizes.values())) > 1:
            shown = ", ".join(f"{name} has {lines:,}" for name, lines in sizes.items())
            raise UserError(
                f"{self._users.parent}: one line per item expected in each file, but {shown} lines; one is cut"
            )
        if lists.value.max(initial=-1) >= items:
            bad = int((lists.value >= items).argmax())
            expected = f"items below {items}, the lines of {next(iter(sizes))}"
            raise wrong_line(self._users, int(lists.row[bad]) + 1, expected, str(lists.value[bad]))
        return RawInteractions(
            user=lists.row.astype(np.int32),
            item=lists.value.astype(np.int32),
            users=_line_ids(lists.lines),
            items=_line_ids(items),
        )

    def contents(self) -> list[Content]:
        """Words, citations and tags, as far as their files are there."""
        return self._contents


def _line_ids(lines: int) -> pa.Array:
    return pc.cast(pa.array(np.arange(lines)), pa.string())


def _rows(table: sp.csr_array, ids: pa.Array) -> sp.csr_array:
    return sp.csr_array(table[pc.cast(ids, pa.int64()).to_numpy()])

"""The ``.inter`` file of MMRec's format: tab-separated user, item and split. Strict; a fault is named with its line."""

from __future__ import annotations

import reprlib
import textwrap
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from jaxtyping import Int

from sea_core.data.splits import Splits, from_labels
from sea_core.errors import UserError

COLUMNS = ("userID", "itemID", "x_label")
LARGEST_ID = 2**31 - 2


def read_interactions(path: Path) -> Splits:
    """Read the columns ``userID``, ``itemID`` and ``x_label``, in any order, among others.

    Ids start at 0. Every user up to the largest must appear; an item need not (its features make it known).

    Raises:
        UserError: anything else than that, one row per pair, and three splits to train, validate and test on.
    """
    table = _read_columns(path)
    an_id = f"a whole number from 0 to {LARGEST_ID}"
    user = _whole_numbers(path, "userID", table["userID"], largest=LARGEST_ID, expected=an_id)
    item = _whole_numbers(path, "itemID", table["itemID"], largest=LARGEST_ID, expected=an_id)
    split_names = "0 (train), 1 (validation) or 2 (test)"
    label = _whole_numbers(path, "x_label", table["x_label"], largest=2, expected=split_names)
    users, items = int(user.max()) + 1, int(item.max()) + 1
    seen = np.unique(user)
    if seen.size < users:
        gap = int(np.flatnonzero(np.r_[seen, -1] != np.arange(seen.size + 1))[0])
        raise UserError(
            f"{path}: userID must be dense, but {users - seen.size} of the ids 0 to {users - 1} never appear, "
            f"first {gap}; renumber the users from 0 without gaps"
        )
    _refuse_duplicates(path, user, item, items)
    return from_labels(user, item, label, users=users, items=items, source=str(path))


def _read_columns(path: Path) -> pa.Table:
    """The three columns as text, so that a bad value can be shown as it stands in the file."""
    _check_header(path)
    uneven: list[pyarrow.csv.InvalidRow] = []

    def note_uneven(row: pyarrow.csv.InvalidRow) -> str:
        uneven.append(row)
        return "error"

    try:
        table = pyarrow.csv.read_csv(
            path,
            # One thread, because only then rows know their number.
            read_options=pyarrow.csv.ReadOptions(use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter="\t", quote_char=False, ignore_empty_lines=False, invalid_row_handler=note_uneven
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=list(COLUMNS),
                column_types=dict.fromkeys(COLUMNS, pa.string()),
                strings_can_be_null=False,
            ),
        )
    except (pa.ArrowException, OSError, ValueError) as error:
        if uneven:
            row = uneven[0]
            raise UserError(
                f"{path}, line {row.number}: expected {row.expected_columns} tab-separated values as in the header, "
                f"found {row.actual_columns}"
            ) from None
        reason = textwrap.shorten(str(error), 160, placeholder="…")
        raise UserError(f"{path}: not a tab-separated text file: {reason}") from None
    if table.num_rows == 0:
        raise UserError(f"{path}: no interactions; found the header and nothing below it")
    return table


def _check_header(path: Path) -> None:
    try:
        with path.open("rb") as file:
            header = file.readline(1 << 20).decode("utf-8-sig").rstrip("\r\n")
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}, line 1: expected a header in UTF-8 text, found other bytes") from None
    if not header:
        raise UserError(f"{path}: the file is empty; expected a header with {', '.join(COLUMNS)}")
    names = header.split("\t")
    if len(names) == 1:
        for separator, word in ((",", "commas"), (";", "semicolons"), ("|", "bars"), (" ", "spaces")):
            if separator in header:
                raise UserError(
                    f"{path}, line 1: wrong separator: expected tabs, found {word}; save the file tab-separated"
                )
    for name in COLUMNS:
        if names.count(name) != 1:
            problem = f"column '{name}' appears twice" if name in names else f"missing column '{name}'"
            raise UserError(f"{path}, line 1: {problem}; expected {', '.join(COLUMNS)}, found {reprlib.repr(names)}")


def _whole_numbers(
    path: Path, name: str, column: pa.ChunkedArray, *, largest: int, expected: str
) -> Int[np.ndarray, " rows"]:
    wrong = ~pc.match_substring_regex(column, r"^[0-9]{1,10}$").to_numpy()
    if not wrong.any():
        numbers: Int[np.ndarray, " rows"] = pc.cast(column, pa.int64()).to_numpy()
        wrong = numbers > largest
        if not wrong.any():
            return numbers
    row = int(wrong.argmax())
    raise UserError(f"{path}, line {row + 2}: {name} must be {expected}, got {reprlib.repr(column[row].as_py())}")


def _refuse_duplicates(path: Path, user: Int[np.ndarray, " rows"], item: Int[np.ndarray, " rows"], items: int) -> None:
    pair = user * items + item
    order = np.argsort(pair, kind="stable")
    repeated = order[1:][pair[order][1:] == pair[order][:-1]]
    if repeated.size:
        again = int(repeated.min())
        first = int((pair == pair[again]).argmax())
        raise UserError(
            f"{path}, line {again + 2}: user {user[again]} and item {item[again]} are already paired "
            f"in line {first + 2} ({repeated.size} duplicate rows in all); keep one row per pair, in one split"
        )

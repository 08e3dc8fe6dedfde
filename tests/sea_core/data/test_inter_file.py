"""Every fault of an ``.inter`` file is one line that says where it is, what was expected and what was found."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sea_core.data.inter_file import read_interactions
from sea_core.errors import UserError
from tests.sea_core.data.refusal import value_or_refusal

Change = Callable[[list[str]], list[str]]

FAULTS: dict[str, tuple[Change, str]] = {
    "missing column": (lambda rows: [rows[0].replace("itemID", "item"), *rows[1:]], "line 1: missing column 'itemID'"),
    "column twice": (
        lambda rows: [rows[0].replace("rating", "userID"), *rows[1:]],
        "line 1: column 'userID' appears twice",
    ),
    "commas": (lambda rows: [row.replace("\t", ",") for row in rows], "wrong separator: expected tabs, found commas"),
    "semicolons": (lambda rows: [row.replace("\t", ";") for row in rows], "expected tabs, found semicolons"),
    "spaces": (lambda rows: [row.replace("\t", " ") for row in rows], "expected tabs, found spaces"),
    "commas below the header": (lambda rows: [rows[0], rows[1].replace("\t", ",")], "line 2: expected 4 .* found 1"),
    "short row": (lambda rows: [*rows[:3], "1\t2", *rows[3:]], "line 4: expected 4 tab-separated values .* found 2"),
    "empty row": (lambda rows: [*rows[:3], "", *rows[3:]], "line 4: userID must be a whole number .* got ''"),
    "no rows": (lambda rows: rows[:1], "no interactions"),
    "nothing": (lambda rows: [], "the file is empty"),
    "text as id": (lambda rows: [*rows, "A17\t3\t5\t0"], "line 32: userID must be a whole number .* got 'A17'"),
    "fraction as id": (lambda rows: [*rows, "1\t3.0\t5\t0"], "line 32: itemID must be a whole number .* got '3.0'"),
    "missing value": (lambda rows: [*rows, "1\t\t5\t0"], "line 32: itemID must be a whole number .* got ''"),
    "negative id": (lambda rows: [rows[0], "-1\t3\t5\t0", *rows[1:]], "line 2: userID must be .* got '-1'"),
    "hexadecimal id": (lambda rows: [*rows, "0x5\t9\t5\t0"], "line 32: userID must be .* got '0x5'"),
    "huge id": (lambda rows: [*rows, "1\t9999999999\t5\t0"], "line 32: itemID must be .* got '9999999999'"),
    "sparse users": (lambda rows: [*rows, "8\t3\t5\t0"], "userID must be dense, but 2 of the ids 0 to 8 .* first 6"),
    "users from 1": (lambda rows: [row for row in rows if not row.startswith("0\t")], "1 of the ids 0 to 5 .* first 0"),
    "label 3": (lambda rows: [*rows, "1\t9\t5\t3"], r"line 32: x_label must be 0 \(train\), .* got '3'"),
    "label -1": (lambda rows: [*rows, "1\t9\t5\t-1"], "line 32: x_label must be .* got '-1'"),
    "repeated row": (lambda rows: [*rows, rows[1]], "line 32: user 0 and item 0 are already paired in line 2 "),
    "pair in two splits": (
        lambda rows: [*rows, "0\t0\t5\t2"],
        "line 32: user 0 and item 0 are already paired in line 2 ",
    ),
    "no training rows": (lambda rows: [row for row in rows if not row.endswith("\t0")], "the training split is empty"),
    "no validation rows": (
        lambda rows: [row for row in rows if not row.endswith("\t1")],
        "the validation split is empty",
    ),
    "no test rows": (lambda rows: [row for row in rows if not row.endswith("\t2")], "the test split is empty"),
    "user without negatives": (
        lambda rows: [r for r in rows if not r.startswith("0\t")] + [f"0\t{item}\t5\t0" for item in range(12)],
        "user 0 has a training interaction with each of the 12 items",
    ),
    "validation of untrained users": (
        lambda rows: [rows[0], "0\t0\t1\t0", "1\t1\t1\t0", "2\t2\t1\t1", "0\t4\t1\t2"],
        "no validation user has training interactions",
    ),
    "test of untrained users": (
        lambda rows: [rows[0], "0\t0\t1\t0", "1\t1\t1\t0", "0\t2\t1\t1", "2\t4\t1\t2"],
        "no test user has training interactions",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_refused_in_one_line(folder: Path, fault: str) -> None:
    path = folder / "shop.inter"
    change, message = FAULTS[fault]
    path.write_text("".join(f"{row}\n" for row in change(path.read_text().splitlines())))
    with pytest.raises(UserError, match=message) as error:
        read_interactions(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def test_what_lies_beside_the_three_columns_does_not_matter(folder: Path) -> None:
    path = folder / "shop.inter"
    plain = read_interactions(path)
    rows = [row.split("\t") for row in path.read_text().splitlines()]
    path.write_text("\ufeff" + "".join(f'{label}\t"\t{item}\t{user}\r\n' for user, item, _, label in rows))
    shuffled = read_interactions(path)
    assert (shuffled.users, shuffled.items) == (6, 12)
    for split in ("train", "valid", "test"):
        np.testing.assert_array_equal(getattr(shuffled, split).user, getattr(plain, split).user)
        np.testing.assert_array_equal(getattr(shuffled, split).item, getattr(plain, split).item)


def test_sizes_count_the_ids_of_all_splits(folder: Path) -> None:
    path = folder / "shop.inter"
    path.write_text(path.read_text() + "6\t20\t5\t2\n")
    splits = read_interactions(path)
    assert (splits.users, splits.items) == (7, 21)


@given(content=st.binary(max_size=200))
def test_random_bytes_never_crash(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "random.inter"
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        read_interactions(path)
    assert len(str(error.value).splitlines()) == 1


CELL = st.sampled_from(["0", "1", "2", "3", "-1", "", "x", "1.5", '"', "é", "\0", "99999999999", " 1", "1\r"])


@given(rows=st.lists(st.lists(CELL, min_size=2, max_size=4), max_size=8), separator=st.sampled_from(["\t", "\t", ","]))
def test_random_tables_load_or_are_refused(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], separator: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "table.inter"
    path.write_text("\n".join(["userID\titemID\tx_label", *(separator.join(row) for row in rows)]), newline="")
    splits = value_or_refusal(lambda: read_interactions(path))
    assert splits is None or min(len(splits.train), len(splits.valid), len(splits.test)) > 0

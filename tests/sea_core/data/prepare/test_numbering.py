"""New numbers: dense, in the order of the original ids, whatever the order of the rows."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from sea_core.data.prepare.interactions import RawInteractions
from sea_core.data.prepare.numbering import renumber

NONE = pa.array([], type=pa.string())


def rows_of(pairs: list[tuple[str, str]]) -> RawInteractions:
    users, items = (sorted(set(column), reverse=True) for column in zip(*pairs, strict=True))
    user, item = (
        np.array([names.index(name) for name in column])
        for names, column in zip((users, items), zip(*pairs, strict=True), strict=True)
    )
    return RawInteractions(user, item, pa.array(users), pa.array(items))


@settings(deadline=None, max_examples=80)
@given(
    pairs=st.sets(st.tuples(st.text("ab1", min_size=1, max_size=3), st.text("xy", min_size=1, max_size=3)), min_size=1)
)
def test_numbers_are_dense_and_lead_back_to_the_ids(pairs: set[tuple[str, str]]) -> None:
    numbered = renumber(rows_of(list(pairs)), NONE)
    users, items = numbered.users.to_pylist(), numbered.items.to_pylist()
    assert {(users[u], items[i]) for u, i in zip(numbered.user, numbered.item, strict=True)} == pairs
    assert set(numbered.user) == set(range(len(users)))
    assert set(numbered.item) == set(range(len(items)))
    assert items == sorted(items)
    again = renumber(rows_of(list(pairs)[::-1]), NONE)
    np.testing.assert_array_equal(again.user, numbered.user)
    np.testing.assert_array_equal(again.item, numbered.item)


def test_whole_numbers_are_ordered_by_value() -> None:
    numbered = renumber(rows_of([("10", "x"), ("9", "x"), ("100", "x")]), NONE)
    assert numbered.users.to_pylist() == ["9", "10", "100"]
    zeros = renumber(rows_of([("10", "x"), ("09", "x"), ("9", "x")]), NONE)
    assert zeros.users.to_pylist() == ["09", "10", "9"]  # 09 and 9 are two names, not one number


def test_items_without_rows_never_come_last() -> None:
    numbered = renumber(rows_of([("u", "b"), ("u", "d")]), pa.array(["a", "c"]))
    assert numbered.items.to_pylist() == ["a", "b", "c", "d"]
    assert numbered.item.tolist() == [1, 3]
    numbered = renumber(rows_of([("u", "b")]), pa.array(["a", "c"]))
    assert numbered.items.to_pylist() == ["a", "c", "b"]
    assert numbered.item.tolist() == [2]

"""Threshold, duplicates and k-core against the slow obvious way of doing each."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sea_core.data.prepare.interactions import RawInteractions, at_least, core, encode_ids, without_duplicates
from sea_core.errors import UserError

PAIRS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.integers(0, 5)), min_size=1, max_size=60)


def rows_of(pairs: list[tuple[int, int, int]], *, timed: bool = True) -> RawInteractions:
    user, item, time = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    names = pa.array([f"n{number}" for number in range(8)])
    return RawInteractions(user, item, names, names, time=time if timed else None)


def listed(rows: RawInteractions) -> list[tuple[int, int]]:
    return list(zip(rows.user.tolist(), rows.item.tolist(), strict=True))


@settings(deadline=None, max_examples=100)
@given(pairs=PAIRS, k=st.integers(0, 4))
def test_the_core_is_what_is_left_when_dropping_one_by_one(pairs: list[tuple[int, int, int]], k: int) -> None:
    left = [pair[:2] for pair in pairs]
    while True:
        users, items = (Counter(pair[n] for pair in left) for n in (0, 1))
        weak = next((p for p in left if users[p[0]] < k or items[p[1]] < k), None)
        if weak is None:
            break
        left.remove(weak)
    if left:
        assert listed(core(rows_of(pairs), k)) == left
    else:
        with pytest.raises(UserError, match="nothing is left"):
            core(rows_of(pairs), k)


@settings(deadline=None, max_examples=100)
@given(pairs=PAIRS, timed=st.booleans(), keep=st.sampled_from(["first", "last"]))
def test_of_duplicates_the_first_or_last_in_time_is_kept(
    pairs: list[tuple[int, int, int]], timed: bool, keep: str
) -> None:
    kept: dict[tuple[int, int], int] = {}
    for place, (user, item, time) in enumerate(pairs):
        there = kept.setdefault((user, item), place)
        earlier, later = timed and time < pairs[there][2], not timed or time >= pairs[there][2]
        if earlier if keep == "first" else later:
            kept[user, item] = place
    remaining = without_duplicates(rows_of(pairs, timed=timed), keep)  # type: ignore[arg-type]
    assert listed(remaining) == [pairs[place][:2] for place in sorted(kept.values())]


def test_a_threshold_needs_a_rating_in_every_row() -> None:
    rows = rows_of([(0, 0, 0), (1, 1, 0)])
    with pytest.raises(UserError, match="needs ratings, but the raw files have none"):
        at_least(rows, 4)
    ratings = np.array([5.0, np.nan])
    with pytest.raises(UserError, match="but 1 rows have none"):
        at_least(RawInteractions(rows.user, rows.item, rows.users, rows.items, rating=ratings), 4)


@settings(deadline=None, max_examples=50)
@given(blocks=st.lists(st.lists(st.text(max_size=3), max_size=8), max_size=5))
def test_codes_of_ids_lead_back_to_them(blocks: list[list[str]]) -> None:
    codes, ids = encode_ids([pa.array(block, type=pa.string()) for block in blocks])
    assert [ids[code].as_py() for code in codes] == [name for block in blocks for name in block]
    assert len(set(ids.to_pylist())) == len(ids)

"""New numbers for the users and items that are left: 0, 1, ... in the order of their original ids."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float, Int

from sea_core.data.prepare.interactions import RawInteractions


class Numbered(NamedTuple):
    """Interactions with their new ids, sorted by user and item unless the raw files have a split of their own.

    Attributes:
        user, item: from 0, every user has a row.
        users, items: new id -> original id.
        rating, time, label: as in ``RawInteractions``.
    """

    user: Int[np.ndarray, " rows"]
    item: Int[np.ndarray, " rows"]
    users: pa.Array
    items: pa.Array
    rating: Float[np.ndarray, " rows"] | None
    time: Float[np.ndarray, " rows"] | Int[np.ndarray, " rows"] | None
    label: Int[np.ndarray, " rows"] | None


def renumber(rows: RawInteractions, extra_items: pa.Array) -> Numbered:
    """Number what is left, whatever order the raw files had.

    Args:
        rows: without duplicates.
        extra_items: original ids of items to keep though they have no row. They come first where the last number
            would be theirs, because a folder has as many items as its largest number says.
    """
    users, new_user = _numbers(rows.user, rows.users)
    items, new_item = _numbers(rows.item, rows.items)
    if len(extra_items):
        together = pa.concat_arrays([items, extra_items.cast(items.type)])
        place = _natural_order(together)
        if place[-1] >= len(items):
            place = np.r_[place[place >= len(items)], place[place < len(items)]]
        items = together.take(pa.array(place))
        moved = np.empty(len(place), dtype=np.int32)
        moved[place] = np.arange(len(place), dtype=np.int32)
        new_item = moved[new_item]
    # A folder that is checked as it is stays as it is, to the hash of its split.
    order = np.lexsort((new_item, new_user)) if rows.label is None else np.arange(len(rows))
    columns = (None if column is None else column[order] for column in (rows.rating, rows.time, rows.label))
    return Numbered(new_user[order], new_item[order], users, items, *columns)


def _numbers(codes: Int[np.ndarray, " rows"], ids: pa.Array) -> tuple[pa.Array, Int[np.ndarray, " rows"]]:
    used = np.flatnonzero(np.bincount(codes, minlength=len(ids)))
    place = used[_natural_order(ids.take(pa.array(used)))]
    number = np.full(len(ids), -1, dtype=np.int32)
    number[place] = np.arange(len(place), dtype=np.int32)
    return ids.take(pa.array(place)), number[codes]


def _natural_order(ids: pa.Array) -> Int[np.ndarray, " ids"]:
    """Whole numbers by value where all ids are such, else by their text."""
    if len(ids) and pc.all(pc.match_substring_regex(ids, r"^(0|[1-9][0-9]{0,17})$")).as_py():
        return np.argsort(pc.cast(ids, pa.int64()).to_numpy(), kind="stable")
    order: Int[np.ndarray, " ids"] = pc.sort_indices(ids).to_numpy()
    return order

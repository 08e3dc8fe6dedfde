"""Raw interactions as columns of numbers, and what is done to them: rating threshold, duplicates, k-core."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float, Int

from sea_core.errors import UserError

Duplicates = Literal["first", "last"]


@dataclass(frozen=True)
class RawInteractions:
    """Rows as they were read; ids are codes into the lists of original ids.

    Attributes:
        user, item: codes, row by row.
        users, items: code -> original id, as text. Codes may be unused.
        rating: None where the files have none.
        time: seconds or whatever unit the files have; None where they have none.
        label: 0, 1 or 2 where the files say which split a row belongs to, else None.
    """

    user: Int[np.ndarray, " rows"]
    item: Int[np.ndarray, " rows"]
    users: pa.Array
    items: pa.Array
    rating: Float[np.ndarray, " rows"] | None = None
    time: Float[np.ndarray, " rows"] | Int[np.ndarray, " rows"] | None = None
    label: Int[np.ndarray, " rows"] | None = None

    def __len__(self) -> int:
        return len(self.user)

    def where(self, keep: Bool[np.ndarray, " rows"]) -> RawInteractions:
        """The rows that are to be kept, in their order."""
        if keep.all():
            return self
        columns = {name: getattr(self, name) for name in ("rating", "time", "label")}
        kept = {name: None if column is None else column[keep] for name, column in columns.items()}
        return RawInteractions(self.user[keep], self.item[keep], self.users, self.items, **kept)

    def counts(self) -> Counts:
        """Users, items and rows that there are."""
        users, items = (np.count_nonzero(np.bincount(codes)) for codes in (self.user, self.item))
        return Counts(int(users), int(items), len(self))


class Counts(NamedTuple):
    """What is left after a step."""

    users: int
    items: int
    interactions: int


def at_least(rows: RawInteractions, min_rating: float) -> RawInteractions:
    """Rows whose rating is at least ``min_rating``.

    Raises:
        UserError: there are no ratings, or a row has none.
    """
    if rows.rating is None:
        raise UserError(f"--min-rating {min_rating:g} needs ratings, but the raw files have none; leave it out")
    missing = int(np.isnan(rows.rating).sum())
    if missing:
        raise UserError(f"--min-rating {min_rating:g} needs a rating in every row, but {missing:,} rows have none")
    return rows.where(rows.rating >= min_rating)


def without_duplicates(rows: RawInteractions, keep: Duplicates = "first") -> RawInteractions:
    """One row per user and item: the first in time, or the last; without times in the order of the files."""
    if not len(rows):
        return rows
    pair = rows.user.astype(np.int64) * len(rows.items) + rows.item
    order = np.argsort(pair, kind="stable") if rows.time is None else np.lexsort((rows.time, pair))
    ordered = pair[order]
    changes = ordered[1:] != ordered[:-1]
    chosen = np.r_[True, changes] if keep == "first" else np.r_[changes, True]
    kept = np.zeros(len(rows), dtype=bool)
    kept[order[chosen]] = True
    return rows.where(kept)


def core(rows: RawInteractions, k: int) -> RawInteractions:
    """Drop users and items with fewer than ``k`` rows until none is left; with ``k`` of 0 or 1 nothing is dropped.

    Raises:
        UserError: nothing is left.
    """
    before = len(rows)
    while k > 1:
        per_user = np.bincount(rows.user, minlength=len(rows.users))
        per_item = np.bincount(rows.item, minlength=len(rows.items))
        kept = rows.where((per_user[rows.user] >= k) & (per_item[rows.item] >= k))
        if len(kept) == len(rows):
            break
        rows = kept
    if not len(rows):
        raise UserError(
            f"nothing is left of {before:,} interactions: no {k} users share {k} items; give a smaller --k-core"
            if before
            else "no interactions are left before the k-core; check --min-rating and the raw files"
        )
    return rows


def encode_ids(columns: Iterable[pa.Array]) -> tuple[Int[np.ndarray, " rows"], pa.Array]:
    """Blocks of ids, as text, to codes and code -> id; codes follow the first appearance.

    Blocks are encoded one by one, so that equal ids of a block are held once.
    """
    blocks = [c if pa.types.is_dictionary(c.type) else c.dictionary_encode() for c in columns]
    if not blocks:
        return np.empty(0, dtype=np.int32), pa.array([], type=pa.string())
    joined = pa.chunked_array(blocks).unify_dictionaries()
    codes = np.concatenate([chunk.indices.to_numpy(zero_copy_only=False) for chunk in joined.chunks])
    return codes.astype(np.int32, copy=False), joined.chunk(0).dictionary

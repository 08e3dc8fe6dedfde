"""All interactions of a dataset, test rows included: what a loader reads, before the catalogue hides the test rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from sea_core.data.dataset import Interactions
from sea_core.errors import UserError

TRAIN, VALID, TEST = 0, 1, 2


@dataclass(frozen=True)
class Splits:
    """The three splits and the sizes ``U`` and ``I`` over all of them."""

    users: int
    items: int
    train: Interactions
    valid: Interactions
    test: Interactions


class Contents(NamedTuple):
    """What a source holds. Features come last and on demand, because opening the test split needs none.

    Attributes:
        splits: the interactions.
        read_features: modality -> file name (None: the source's own map) to modality -> ``(items, d_m)`` float32.
        notes: what the loader wants to tell.
        protocol: how the rows were split and with which seed, as JSON values; None where nobody wrote it down.
    """

    splits: Splits
    read_features: Callable[[Mapping[str, str] | None], dict[str, Float[np.ndarray, "items dim"]]]
    notes: tuple[str, ...] = ()
    protocol: Mapping[str, Any] | None = None


def from_labels(
    user: Int[np.ndarray, " pairs"],
    item: Int[np.ndarray, " pairs"],
    label: Int[np.ndarray, " pairs"],
    *,
    users: int,
    items: int,
    source: str,
) -> Splits:
    """Divide rows by their label (0 train, 1 validation, 2 test) and check that training can start.

    Raises:
        UserError: a split is empty, or a user has no negative; ``source`` is named.
    """
    parts = {}
    for number, name in ((TRAIN, "training"), (VALID, "validation"), (TEST, "test")):
        rows = label == number
        if not rows.any():
            raise UserError(f"{source}: the {name} split is empty; expected at least one row with x_label {number}")
        parts[number] = Interactions(user=user[rows], item=item[rows])
    train = parts[TRAIN]
    seen = int(np.unique(train.item).size)
    per_user = np.bincount(train.user, minlength=users)
    if per_user.max() >= seen:
        raise UserError(
            f"{source}: user {int(per_user.argmax())} has a training interaction with each of the {seen} items seen in "
            "training, so no negative exists; remove the user or hold some of its interactions out"
        )
    if not (per_user[parts[VALID].user] > 0).any():
        raise UserError(f"{source}: no validation user has training interactions; expected at least one")
    if not (per_user[parts[TEST].user] > 0).any():
        raise UserError(f"{source}: no test user has training interactions; expected at least one")
    return Splits(users=users, items=items, train=train, valid=parts[VALID], test=parts[TEST])


def split_words(protocol: Mapping[str, Any]) -> str:
    """``random 8:1:1, seed 0``: how rows were split, then the choices that this way reads."""
    ratios = f" {protocol['ratios']}" if "ratios" in protocol else ""
    others = [f"{name} {protocol[name]}" for name in ("folds", "fold", "seed") if name in protocol]
    return ", ".join([f"{protocol['protocol']}{ratios}", *others])


def split_per_user(user: Int[np.ndarray, " pairs"], generator: np.random.Generator) -> Int[np.ndarray, " pairs"]:
    """Labels that hold out a random tenth (at least one) of every user's rows for each of validation and test.

    A user needs 3 rows for a row in every split; 5 give 3:1:1.
    """
    order = np.lexsort((generator.random(len(user)), user))
    sorted_user = user[order]
    starts = np.flatnonzero(np.r_[True, sorted_user[1:] != sorted_user[:-1]])
    counts = np.diff(np.r_[starts, len(user)])
    rank = np.arange(len(user)) - np.repeat(starts, counts)
    held_out = np.repeat(np.maximum(counts // 10, 1), counts)
    label = np.empty(len(user), dtype=np.int64)
    label[order] = np.where(rank < held_out, TEST, np.where(rank < 2 * held_out, VALID, TRAIN))
    return label

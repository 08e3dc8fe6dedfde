"""Split protocols: which rows are trained on, validated on and tested on. What each means for a claim: docs/data.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from sea_core.data.splits import TEST, TRAIN, VALID
from sea_core.errors import UserError, suggest
from sea_core.streams import stream_seed

FEWEST = 3  # rows of a user who has one in each split
SPLIT_NAMES = ("training", "validation", "test")


@dataclass(frozen=True)
class Split:
    """A protocol and its choices; equal ones split equal data equally.

    Attributes:
        protocol: one of ``PROTOCOLS``.
        ratios: shares of training, validation and test, in any unit.
        seed: of what is drawn; protocols that draw nothing do not read it.
        folds, fold: of ``k-fold``: how many, and which one is tested on.
    """

    protocol: str = "random"
    ratios: tuple[float, float, float] = (8, 1, 1)
    seed: int = 0
    folds: int = 5
    fold: int = 0

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise UserError(f"unknown --split {self.protocol!r}{suggest(self.protocol, PROTOCOLS)}")
        written = ":".join(f"{part:g}" for part in self.ratios)
        for name, part in zip(SPLIT_NAMES, self.ratios, strict=True):
            if not np.isfinite(part) or part < 0:
                raise UserError(f"--ratios must be three shares like 8:1:1, got {written}")
            if part == 0:
                raise UserError(f"--ratios {written} leaves the {name} split empty; give each of the three a share")
        if self.folds < 3 or not 0 <= self.fold < self.folds:
            raise UserError(
                f"--folds must be at least 3 and --fold from 0 to --folds - 1, got {self.folds} and {self.fold}"
            )

    @property
    def needs_times(self) -> bool:
        """Whether the protocol is one of time."""
        return self.protocol in ("user-time", "global-time")

    def describe(self) -> dict[str, Any]:
        """The choices that the protocol reads, as JSON values."""
        read = {"random": ("ratios", "seed"), "user-time": ("ratios",), "global-time": ("ratios",)}
        read |= {"leave-one-out": ("seed",), "k-fold": ("ratios", "seed", "folds", "fold")}
        values = asdict(self)
        chosen = {name: values[name] for name in read[self.protocol]}
        if "ratios" in chosen:
            chosen["ratios"] = ":".join(f"{part:g}" for part in self.ratios)
        return {"protocol": self.protocol, **chosen}

    def generator(self) -> np.random.Generator:
        """The draws of this protocol and seed."""
        return np.random.default_rng(stream_seed(self.seed, f"split/{self.protocol}"))


def parse_ratios(text: str) -> tuple[float, float, float]:
    """``8:1:1`` as numbers.

    Raises:
        UserError: not three numbers.
    """
    try:
        train, valid, test = (float(part) for part in text.split(":"))
    except ValueError:
        raise UserError(f"--ratios must be three numbers joined by colons, like 8:1:1, got {text!r}") from None
    return train, valid, test


def split_rows(
    split: Split,
    user: Int[np.ndarray, " rows"],
    time: Float[np.ndarray, " rows"] | Int[np.ndarray, " rows"] | None,
) -> Int[np.ndarray, " rows"]:
    """Labels of rows: 0 training, 1 validation, 2 test.

    Args:
        split: the protocol.
        user: dense ids.
        time: of each row, None if unknown.

    Raises:
        UserError: a protocol of time without times, or a split that stays empty.
    """
    if split.needs_times:
        if time is None:
            raise UserError(
                f"--split {split.protocol} needs times, but the raw files have none; choose random or leave-one-out"
            )
        missing = int(np.isnan(time).sum())
        if missing:
            raise UserError(f"--split {split.protocol} needs a time in every row, but {missing:,} rows have none")
    label = PROTOCOLS[split.protocol](split, user, time)
    for number, name in enumerate(SPLIT_NAMES):
        if not (label == number).any():
            ratios = ":".join(f"{part:g}" for part in split.ratios)
            raise UserError(
                f"--split {split.protocol} with --ratios {ratios} leaves the {name} split empty; "
                "give it a larger share, or more data"
            )
    return label


def _random(split: Split, user: Int[np.ndarray, " rows"], time: Any) -> Int[np.ndarray, " rows"]:
    """Every user's rows in random order."""
    return _last_of_each(split, user, -split.generator().random(len(user)))


def _user_time(split: Split, user: Int[np.ndarray, " rows"], time: Any) -> Int[np.ndarray, " rows"]:
    """Every user's latest rows are tested on, those before them validated on; of equal times the later row."""
    return _last_of_each(split, user, time)


def _global_time(split: Split, user: Int[np.ndarray, " rows"], time: Any) -> Int[np.ndarray, " rows"]:
    """Two moments divide all rows; rows of one moment stay together, so shares are met as nearly as that allows."""
    moments, counts = np.unique(time, return_counts=True)
    until = np.cumsum(counts) / len(time)  # share of rows up to and with each moment
    wanted = np.cumsum(split.ratios) / sum(split.ratios)
    if moments.size < FEWEST:
        raise UserError(f"--split global-time needs at least 3 different times, found {moments.size}")
    first = int(np.abs(until[:-2] - wanted[0]).argmin())
    second = first + 1 + int(np.abs(until[first + 1 : -1] - wanted[1]).argmin())
    return np.where(time <= moments[first], TRAIN, np.where(time <= moments[second], VALID, TEST)).astype(np.int64)


def _leave_one_out(split: Split, user: Int[np.ndarray, " rows"], time: Any) -> Int[np.ndarray, " rows"]:
    """Every user's last row is tested on, the one before validated on; without times, random ones."""
    known = time is not None and not np.isnan(time).any()
    rank, counts = _ranks(user, time if known else -split.generator().random(len(user)))
    label = np.where(rank == 0, TEST, np.where(rank == 1, VALID, TRAIN))
    return np.where(counts >= FEWEST, label, TRAIN)


def _k_fold(split: Split, user: Int[np.ndarray, " rows"], time: Any) -> Int[np.ndarray, " rows"]:
    """Users are dealt to folds: those of one are tested on, those of the next validated on, the others only trained on.

    All users keep rows in training, because the model has no embedding for others. The share held out of a tested
    user's rows is the test part over training and test; of a validated user's, likewise.
    """
    generator = split.generator()
    users = int(user.max()) + 1
    fold = np.empty(users, dtype=np.int64)
    fold[generator.permutation(users)] = np.arange(users) % split.folds
    rank, counts = _ranks(user, generator.random(len(user)))
    train, valid, test = split.ratios
    label = np.full(len(user), TRAIN)
    for number, part, where in ((TEST, test, split.fold), (VALID, valid, (split.fold + 1) % split.folds)):
        held_out = np.maximum(_share(counts, part / (train + part)), 1)
        label[(fold[user] == where) & (rank < held_out) & (counts >= 2)] = number
    return label


def _last_of_each(split: Split, user: Int[np.ndarray, " rows"], key: Any) -> Int[np.ndarray, " rows"]:
    """The rows of each user with the largest keys are tested on, the next ones validated on: at least one each."""
    rank, counts = _ranks(user, key)
    total = sum(split.ratios)
    test = np.maximum(_share(counts, split.ratios[2] / total), 1)
    valid = np.maximum(_share(counts, split.ratios[1] / total), 1)
    # A user's training part is never empty, whatever the ratios.
    over = np.maximum(test + valid - (counts - 1), 0)
    from_test = np.minimum(np.maximum(test - 1, 0), (over + 1) // 2)
    test, valid = test - from_test, np.maximum(valid - (over - from_test), 1)
    label = np.where(rank < test, TEST, np.where(rank < test + valid, VALID, TRAIN))
    return np.where(counts >= FEWEST, label, TRAIN)


def _share(counts: Int[np.ndarray, " rows"], part: float) -> Int[np.ndarray, " rows"]:
    """The whole part of a share; 0.1 of 30 is 3, whatever the last bit of the product says."""
    return np.floor(counts * part + 1e-9).astype(np.int64)


def _ranks(user: Int[np.ndarray, " rows"], key: Any) -> tuple[Int[np.ndarray, " rows"], Int[np.ndarray, " rows"]]:
    """Each row's place among its user's rows by falling key (of equal ones the later row first), and their number."""
    order = np.lexsort((key, user))
    counts = np.bincount(user)
    ends = np.cumsum(counts)
    rank = np.empty(len(user), dtype=np.int64)
    rank[order] = ends[user[order]] - 1 - np.arange(len(user))
    return rank, counts[user]


PROTOCOLS: Mapping[str, Callable[[Split, Int[np.ndarray, " rows"], Any], Int[np.ndarray, " rows"]]] = {
    "random": _random,
    "user-time": _user_time,
    "global-time": _global_time,
    "leave-one-out": _leave_one_out,
    "k-fold": _k_fold,
}

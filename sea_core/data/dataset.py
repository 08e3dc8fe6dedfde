"""What training and selection may see of a dataset: features, training and validation interactions. Never test."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float, Int

from sea_core.data.transforms import transform_features
from sea_core.errors import UserError
from sea_core.hashing import hash_arrays

_ALIGNMENT = 64  # bytes: a cache line, and what PyTorch and Ray's object store align to


@dataclass(frozen=True)
class Interactions:
    """User-item pairs, row by row: ``user[n]`` interacted with ``item[n]``."""

    user: Int[np.ndarray, " pairs"]
    item: Int[np.ndarray, " pairs"]

    def __len__(self) -> int:
        return len(self.user)

    def matrix(self, users: int, items: int) -> sp.csr_array:
        """Binary ``(users, items)`` matrix with sorted column indices."""
        ones = np.ones(len(self.user), dtype=np.float32)
        matrix = sp.coo_array((ones, (self.user, self.item)), shape=(users, items)).tocsr()
        matrix.sort_indices()
        return matrix


class OtherSplit(NamedTuple):
    """Another split of a dataset's rows, without its test rows.

    Attributes:
        seed: of the split.
        train, valid, protocol: as in ``Dataset``.
    """

    seed: int
    train: Interactions
    valid: Interactions
    protocol: Mapping[str, Any]


@dataclass(frozen=True)
class Dataset:
    """A loaded dataset without its test rows (``sea_core/holdout.py`` alone reads those).

    Attributes:
        name: how the user named it (``synthetic``, ``ml-100k``, a folder's name).
        source: what ``load_dataset`` needs to load it again: a name or the absolute path of a folder.
        users, items: ``U`` and ``I``, 1 + the largest id over all splits.
        train, valid: interactions; valid holds only users who have training interactions.
        features: modality -> ``(items, d_m)`` float32 raw features, in model order; see ``aligned``.
        notes: what was counted and explained while loading (items without training rows, ...).
        protocol: how the rows were split and with which seed; None where nobody wrote it down.
        split_seed: of a split made anew (``sea_core/data/resplit.py``); None for the data's own.
        other_splits: run seed -> the split that runs of this seed train on; ``for_seed`` takes it.
        raw_features: those before a transformation, where there was one; ``viewed`` starts from them.
    """

    name: str
    source: str
    users: int
    items: int
    train: Interactions
    valid: Interactions
    features: Mapping[str, Float[np.ndarray, "items dim"]]
    notes: tuple[str, ...] = ()
    protocol: Mapping[str, Any] | None = None
    raw_features: Mapping[str, Float[np.ndarray, "items dim"]] | None = None
    split_seed: int | None = None
    other_splits: Mapping[int, OtherSplit] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Loaders, tests, ``replace`` and Ray's object store bring arrays at any address; here all of them pass.
        object.__setattr__(self, "features", {name: aligned(array) for name, array in self.features.items()})

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities, in model order."""
        return tuple(self.features)

    def viewed(self, modalities: Iterable[str] | None, transform: Mapping[str, str] | None) -> Dataset:
        """The dataset with the features that a config names, in its order, transformed as it says.

        Args:
            modalities: their names; None = those that there are.
            transform: the config's ``feature_transform``.

        Raises:
            UserError: a modality that the data lack, or a transformation that does not apply.
        """
        raw = self.features if self.raw_features is None else self.raw_features
        names = tuple(raw) if modalities is None else tuple(modalities)
        for name in names:
            if name not in raw:
                raise UserError(f"the data have no modality '{name}'; they have {', '.join(raw)}")
        if not transform and self.raw_features is None and names == self.modalities:
            return self
        chosen = {name: raw[name] for name in names}
        if not transform:
            return replace(self, features=chosen, raw_features=None)
        return replace(self, features=transform_features(chosen, transform), raw_features=raw)

    def for_seed(self, seed: int | None) -> Dataset:
        """What a run of this seed trains on: the split that is kept for it, or the dataset itself."""
        other = self.other_splits.get(seed) if seed is not None else None
        if other is None:
            return self
        return replace(
            self,
            train=other.train,
            valid=other.valid,
            protocol=other.protocol,
            split_seed=other.seed,
            other_splits={},
        )

    @cached_property
    def train_matrix(self) -> sp.csr_array:
        """Binary ``(users, items)`` training matrix."""
        return self.train.matrix(self.users, self.items)

    @cached_property
    def split_hash(self) -> str:
        """Covers sizes, training and validation pairs."""
        return hash_arrays(
            {
                "sizes": np.array([self.users, self.items]),
                "train": np.stack([self.train.user, self.train.item]),
                "valid": np.stack([self.valid.user, self.valid.item]),
            }
        )

    @property
    def split_record(self) -> dict[str, Any]:
        """What records say of the split: its protocol where that is known, and its seed if it was made anew."""
        anew = {} if self.split_seed is None else {"split_seed": self.split_seed}
        return anew if self.protocol is None else {"split": dict(self.protocol), **anew}

    @cached_property
    def feature_hashes(self) -> dict[str, str]:
        """One hash per modality, over its name and features."""
        return {name: hash_arrays({name: array}) for name, array in self.features.items()}

    @cached_property
    def data_hash(self) -> str:
        """Covers everything that training and selection read: split, features and the order of the modalities.

        A known protocol is covered too: equal rows that were split by another rule support other claims.
        """
        order = "|".join(f"{name}={value}" for name, value in self.feature_hashes.items())
        if self.protocol is not None:
            order += "|" + json.dumps(dict(self.protocol), sort_keys=True)
        return hash_arrays({"data": np.frombuffer(f"{self.split_hash}|{order}".encode(), dtype=np.uint8)})


def aligned(array: np.ndarray) -> np.ndarray:
    """The array in C order with its data at a multiple of 64 bytes; itself, without a copy, if it is so already.

    The libraries that multiply matrices promise equal bits for equal data at equal alignment only, so a run may not
    depend on where an array happens to lie.
    """
    if array.flags.c_contiguous and array.ctypes.data % _ALIGNMENT == 0:
        return array
    memory = np.empty(array.nbytes + _ALIGNMENT, dtype=np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    copy = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy

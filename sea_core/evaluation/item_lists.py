"""A list of items for each of some users, as the rows of a CSR matrix."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from jaxtyping import Int


class ItemLists(NamedTuple):
    """Row ``r`` has the items ``items[first[r] : first[r + 1]]``; ``first[0]`` is 0."""

    first: Int[np.ndarray, " rows+1"]
    items: Int[np.ndarray, " entries"]

    @classmethod
    def of_matrix(cls, matrix: sp.csr_array) -> ItemLists:
        """The columns that a matrix stores in each row."""
        return cls(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64))

    def counts(self) -> Int[np.ndarray, " rows"]:
        """How many items each row has."""
        return np.diff(self.first)

    def rows(self) -> Int[np.ndarray, " entries"]:
        """The row of each entry."""
        return np.repeat(np.arange(len(self.first) - 1), self.counts())

    def take(self, rows: Int[np.ndarray, " some"]) -> ItemLists:
        """The lists of some rows, in the order given."""
        counts = self.first[rows + 1] - self.first[rows]
        first = np.concatenate([[0], np.cumsum(counts)])
        return ItemLists(first, self.items[np.repeat(self.first[rows] - first[:-1], counts) + np.arange(first[-1])])

"""Where ids stand in a list of ids."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int


def places(wanted: pa.Array, known: pa.Array) -> Int[np.ndarray, " wanted"]:
    """Each wanted id's first place among the known ones, -1 where it is not."""
    positions = pc.index_in(wanted, value_set=known.cast(wanted.type))
    return np.asarray(pc.fill_null(positions, -1).to_numpy(), dtype=np.int64)

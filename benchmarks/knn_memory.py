"""Memory and time of the item graph of the largest catalogue: 63,001 items with 4,096 features."""

from __future__ import annotations

from typing import Any

from benchmarks.child import Finished, run_child
from benchmarks.problem import LARGE_ITEMS

FEATURES = 4_096


def item_graph_memory(*, row_blocks: int | None) -> Finished:
    """Peak of a child that finds exact neighbours: of two row blocks, or of all items if ``row_blocks`` is None."""
    return run_child("knn_memory:find_neighbours", {"row_blocks": row_blocks})


def approximate_item_graph() -> Finished:
    """The same by nearest-neighbour descent; the result holds the seconds and the recall on a sample of items."""
    return run_child("knn_memory:find_neighbours_approximately", {})


def find_neighbours(row_blocks: int | None) -> dict[str, float]:
    """Exact neighbours of some row blocks; imports are the child's."""
    import time

    import numpy as np

    from sea_core.graphs.neighbours import BLOCK_BYTES, nearest_items

    features = _features()
    block = BLOCK_BYTES // (8 * LARGE_ITEMS)
    rows = None if row_blocks is None else np.arange(row_blocks * block)
    started = time.perf_counter()
    neighbours = nearest_items(features, 10, rows=rows)
    return {"rows": len(neighbours), "seconds": time.perf_counter() - started}


def find_neighbours_approximately() -> dict[str, float]:
    """Approximate neighbours of all items, with their recall."""
    import time

    from sea_core.graphs.neighbours import nearest_items_approximately, neighbour_recall

    features = _features()
    started = time.perf_counter()
    neighbours = nearest_items_approximately(features, 10)
    seconds = time.perf_counter() - started
    return {"rows": len(neighbours), "seconds": seconds, "recall": neighbour_recall(features, neighbours)}


def _features() -> Any:
    """Clustered like real features (2,000 centres), drawn in blocks so that drawing is not the peak."""
    import numpy as np

    rng = np.random.default_rng(0)
    centres = rng.standard_normal((2_000, FEATURES), dtype=np.float32)
    features = np.empty((LARGE_ITEMS, FEATURES), dtype=np.float32)
    for start in range(0, LARGE_ITEMS, 4_096):
        block = features[start : start + 4_096]
        block[:] = rng.standard_normal(block.shape, dtype=np.float32)
        block += 2 * centres[rng.integers(0, len(centres), len(block))]
    return features

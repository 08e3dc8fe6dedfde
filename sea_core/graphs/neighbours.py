"""Nearest items by cosine similarity of raw features, in blocks: memory grows with items, never with its square."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor

from sea_core.errors import UserError

BLOCK_BYTES = 256 * 2**20
# Up to this many items the exact method is faster than starting the approximate one.
SMALL = 10_000
# Cosines that agree to this many binary digits are ties: far above float64's rounding, far below any real difference.
TIE_BITS = 40


def nearest_items(
    features: Float[np.ndarray, "items dim"],
    k: int,
    *,
    rows: Int[np.ndarray, " rows"] | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Int[np.ndarray, "rows k"]:
    """The ``k`` items most similar to each item: itself always, ties to the smaller id; ids increase along a row.

    A float32 product ranks all items and settles every row whose k-th and next similarity differ by more than its
    rounding error. The few other rows, and those with real ties, are decided in float64.

    Args:
        features: one non-zero row per item; only read, so a memory-mapped array serves.
        k: neighbours per item, itself among them.
        rows: ids of the items wanted; None means all.
        block_bytes: memory for a block of similarities. The result does not depend on it.

    Raises:
        UserError: ``k`` is not in 1..items.
    """
    items, dim = features.shape
    if not 1 <= k <= items:
        raise UserError(f"knn_k must be from 1 to the number of items, {items}, got {k}")
    wanted = torch.arange(items) if rows is None else torch.tensor(rows)
    if k == items:
        return np.tile(np.arange(items), (len(wanted), 1))
    unit = torch.empty((items, dim), dtype=torch.float32)
    for part in _blocks(torch.arange(items), block_bytes // (24 * dim)):
        unit[part] = _unit_rows(features, part).float()
    # Rounding errors of a product of unit vectors grow like sqrt(dim) ulp; 8 of those are never reached in practice.
    rounding = 8 * dim**0.5 * 2.0**-24
    nearest = torch.empty((len(wanted), k), dtype=torch.int64)
    unsettled = []
    for places in _blocks(torch.arange(len(wanted)), block_bytes // (8 * items)):
        ids = wanted[places]
        similarity = unit[ids] @ unit.T
        similarity[torch.arange(len(ids)), ids] = torch.inf
        top = torch.topk(similarity, k + 1, dim=1)
        nearest[places] = top.indices[:, :k].sort(dim=1).values
        unsettled.append(places[top.values[:, k - 1] - top.values[:, k] <= 2 * rounding])
    del unit
    for places in _blocks(torch.cat(unsettled), block_bytes // (24 * items)):
        nearest[places] = _nearest_in_float64(features, wanted[places], k, column_block=block_bytes // (24 * dim))
    return nearest.numpy()


def nearest_items_approximately(features: Float[np.ndarray, "items dim"], k: int) -> Int[np.ndarray, "items k"]:
    """As ``nearest_items`` by nearest-neighbour descent (pynndescent): for catalogues whose exact graph takes hours.

    Starting costs about a minute of compilation, so small catalogues are computed exactly. ``neighbour_recall`` tells
    how much was found.

    Raises:
        UserError: ``k`` is not in 1..items, or pynndescent is not installed.
    """
    items = len(features)
    if items <= SMALL or k == 1:
        return nearest_items(features, k)
    try:
        from pynndescent import NNDescent
    except ImportError:
        raise UserError("approximate item graphs need pynndescent: pip install 'sea-study[approximate]'") from None
    neighbours, _ = NNDescent(features, metric="cosine", n_neighbors=k, random_state=0).neighbor_graph
    neighbours = neighbours.astype(np.int64)
    # Neighbours come nearest first; an item that is not among its own (it has duplicates) replaces the last.
    lacking = np.flatnonzero(~(neighbours == np.arange(items)[:, None]).any(axis=1))
    neighbours[lacking, -1] = lacking
    short = np.flatnonzero((neighbours < 0).any(axis=1))  # -1 stands where fewer than k were found
    if short.size:
        neighbours[short] = nearest_items(features, k, rows=short)
    return np.sort(neighbours, axis=1)


def neighbour_recall(
    features: Float[np.ndarray, "items dim"], neighbours: Int[np.ndarray, "items k"], *, sample: int = 500
) -> float:
    """Share of the exact neighbours that ``neighbours`` holds, the item itself left out, on a fixed sample of items."""
    items, k = neighbours.shape
    if k == 1:
        return 1.0
    rows = np.random.default_rng(0).permutation(items)[:sample]
    exact = nearest_items(features, k, rows=rows)
    hits = sum(np.isin(exact[n], neighbours[row], assume_unique=True).sum() - 1 for n, row in enumerate(rows))
    return float(hits / (len(rows) * (k - 1)))


def _nearest_in_float64(
    features: Float[np.ndarray, "items dim"], ids: Int[Tensor, " rows"], k: int, *, column_block: int
) -> Int[Tensor, "rows k"]:
    """The rule itself: similarities rounded so that ties are equal, then the k largest, of equals the smaller id."""
    items = len(features)
    own = _unit_rows(features, ids)
    similarity = torch.empty((len(ids), items), dtype=torch.float64)
    for columns in _blocks(torch.arange(items), column_block):
        similarity[:, columns] = own @ _unit_rows(features, columns).T
    similarity.mul_(2.0**TIE_BITS).round_()
    similarity[torch.arange(len(ids)), ids] = torch.inf
    kth = torch.topk(similarity, k, dim=1).values[:, -1:]
    keep, tied = similarity > kth, similarity == kth
    room = k - keep.sum(dim=1, keepdim=True)
    keep |= tied & (tied.cumsum(dim=1, dtype=torch.int32) <= room)
    return keep.nonzero()[:, 1].reshape(len(ids), k)


def _unit_rows(features: Float[np.ndarray, "items dim"], ids: Int[Tensor, " rows"]) -> Float64[Tensor, "rows dim"]:
    """Rows of length 1, zero rows (of a knocked-out modality) as they are.

    Float64, because squares of large or tiny float32 values leave float32's range.
    """
    block = torch.from_numpy(features[ids.numpy()].astype(np.float64))
    return block / torch.linalg.vector_norm(block, dim=1, keepdim=True).clamp_min(torch.finfo(torch.float64).tiny)


def _blocks(ids: Int[Tensor, " ids"], size: int) -> Iterator[Int[Tensor, " block"]]:
    return iter(ids.split(max(1, size))) if len(ids) else iter(())

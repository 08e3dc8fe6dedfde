"""A feature file of MMRec's format: a ``.npy`` table of numbers, one row per item. Strict, and never a pickle."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from sea_core.errors import UserError

# Larger files are mapped, not read: several processes then share one copy.
MAP_FROM_BYTES = 512 * 2**20
CHECKED_BYTES = 16 * 2**20


def read_features(path: Path, *, items: int) -> Float[np.ndarray, "items dim"]:
    """Read one row of finite numbers per item, none all zero, as C-ordered float32.

    A large float32 file is mapped copy-on-write, so that only what is touched occupies memory.

    Raises:
        UserError: missing, pickled, truncated, wrong type or shape, or a bad row, which is named.
    """
    shape, fortran_order, dtype = read_header(path)
    if len(shape) != 2:
        raise UserError(f"{path}: expected a table (items, dimensions), found rank {len(shape)}, shape {shape}")
    if shape[0] != items:
        raise UserError(
            f"{path}: expected {items} rows, one per item (1 + the largest itemID), found {shape[0]}; "
            "row n must belong to itemID n, and ids start at 0"
        )
    if shape[1] == 0:
        raise UserError(f"{path}: expected at least one feature dimension, found shape {shape}")
    as_wanted = dtype == np.dtype("<f4") and not fortran_order
    mapped = as_wanted and items * shape[1] * dtype.itemsize >= MAP_FROM_BYTES
    try:
        stored = np.load(path, mmap_mode="c" if mapped else None, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {textwrap.shorten(str(error), 160, placeholder='…')}") from None
    with np.errstate(over="ignore"):  # a value beyond float32 becomes inf and is reported with its row
        features = np.asarray(stored, dtype=np.float32, order="C")
    _refuse_bad_rows(path, features)
    return features


def read_header(path: Path) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, Fortran order and type, after making sure that the file is as long as they say.

    Raises:
        UserError: no ``.npy`` file of plain numbers, or a truncated one.
    """
    advice = "save it as plain numbers: np.save(path, array.astype(np.float32))"
    try:
        with path.open("rb") as file:
            if file.read(6) != b"\x93NUMPY":
                raise ValueError("not a .npy file (pickled files and archives are never read)")
            file.seek(0)
            first = np.lib.format.read_magic(file) == (1, 0)
            read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
            shape, fortran_order, dtype = read(file)
            start = file.tell()
        size = path.stat().st_size
    except Exception as error:  # NumPy parses the header as Python and lets through whatever that raises
        reason = textwrap.shorten(str(error), 160, placeholder="…")
        raise UserError(f"{path}: cannot be read: {reason}; {advice}") from None
    if dtype.hasobject or dtype.kind not in "fiu":
        raise UserError(f"{path}: expected numbers, found dtype {dtype}; {advice}")
    expected = start + int(np.prod(shape, dtype=object)) * dtype.itemsize
    if size < expected:
        raise UserError(
            f"{path}: truncated: expected {expected} bytes for shape {shape}, found {size}; copy the file again"
        )
    return shape, fortran_order, dtype


def _refuse_bad_rows(path: Path, features: Float[np.ndarray, "items dim"]) -> None:
    block = max(1, CHECKED_BYTES // (4 * features.shape[1]))
    for start in range(0, len(features), block):
        rows = features[start : start + block]
        finite = np.isfinite(rows)
        if not finite.all():
            row, column = (int(n) for n in np.argwhere(~finite)[0])
            raise UserError(
                f"{path}, row {start + row}, column {column}: expected a finite float32 number, "
                f"found {rows[row, column]}; "
                "give the item other features, for instance the mean of the others"
            )
        zero = ~rows.any(axis=1)
        if zero.any():
            raise UserError(
                f"{path}, row {start + int(zero.argmax())}: expected a direction to compare, found only zeros; "
                "give the item other features, for instance the mean of the others"
            )

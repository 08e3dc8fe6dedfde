"""The parts of a dataset folder, written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from jaxtyping import Float, Int

from sea_core.data.prepare.encoding import Encoding, fill_empty
from sea_core.data.prepare.numbering import Numbered
from sea_core.data.prepare.raw import Content
from sea_core.errors import UserError
from sea_core.files import write_atomically

_ROWS = 1 << 20
_UNWRITABLE = r"[\t\r\n\x00]"


def write_interactions(path: Path, numbered: Numbered, label: Int[np.ndarray, " rows"]) -> None:
    """Write the ``.inter`` file: ids, rating and timestamp where there are any, and the split."""
    columns = {"userID": numbered.user, "itemID": numbered.item}
    columns |= {} if numbered.rating is None else {"rating": numbered.rating}
    columns |= {} if numbered.time is None else {"timestamp": numbered.time}
    columns["x_label"] = label.astype(np.int8)

    def batches() -> list[tuple[int, int]]:
        return [(start, min(start + _ROWS, len(label))) for start in range(0, len(label), _ROWS)]

    with path.open("wb") as file:
        file.write(("\t".join(columns) + "\n").encode())
        for start, stop in batches():
            table = pa.table({name: _written(values[start:stop]) for name, values in columns.items()})
            _write(table, file)


def write_ids(path: Path, name: str, ids: pa.Array) -> None:
    """Write ``users.tsv`` or ``items.tsv``: the number, then the original id.

    Raises:
        UserError: an id that cannot stand in a line of tab-separated text.
    """
    wrong = pc.match_substring_regex(ids, _UNWRITABLE)
    if pc.any(wrong).as_py():
        first_wrong = ids[pc.index(wrong, True).as_py()].as_py()
        raise UserError(f"{name}: expected ids without tabs and line breaks, found {first_wrong!r}")
    with path.open("wb") as file:
        file.write(f"{name}\toriginal_id\n".encode())
        _write(pa.table({name: pa.array(np.arange(len(ids))), "original_id": ids}), file)


def read_ids(path: Path) -> pa.Array:
    """The original ids of ``users.tsv`` or ``items.tsv``, by number."""
    lines = path.read_text(encoding="utf-8").split("\n")[1:-1]
    return pa.array([line.split("\t", 1)[1] for line in lines], type=pa.string())


def write_features(folder: Path, content: Content, ids: pa.Array, encoding: Encoding) -> dict[str, Any]:
    """Write a modality's feature file and the JSON beside it, which is returned; the JSON comes last.

    Raises:
        UserError: the content is faulty or empty.
    """
    path = folder / f"{content.modality}_feat.npy"
    temporary = folder / f".{path.name}.tmp"

    def allocate(items: int, columns: int) -> Float[np.ndarray, "items columns"]:
        # In the file from the start: features of Amazon's larger categories do not fit into memory.
        return np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=(items, columns))

    try:
        encoded = content.encode(ids, encoding, allocate)
        got = fill_empty(encoded, modality=content.modality)
        if isinstance(encoded.features, np.memmap):
            encoded.features.flush()
        empty = np.flatnonzero(encoded.empty)
        about = {
            "modality": content.modality,
            "file": path.name,
            "raw_files": [file.name for file in content.files],
            **encoded.about,
            "items": len(ids),
            "columns": int(encoded.features.shape[1]),
            "items_without_content": len(empty),
            "share_without_content": round(len(empty) / len(ids), 6),
            "they_got": got,
            "mask": empty.tolist(),
        }
        del encoded
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    # The mask is one long line; everything else is for reading.
    text = json.dumps({**about, "mask": "@"}, indent=2).replace('"@"', json.dumps(about["mask"]))
    write_atomically(path.with_suffix(".json"), (text + "\n").encode())
    return about


def _written(values: np.ndarray) -> pa.Array:
    """Whole numbers without a point, others as they are."""
    if values.dtype.kind == "f" and np.isfinite(values).all() and (np.trunc(values) == values).all():
        values = values.astype(np.int64)
    return pa.array(values, from_pandas=True)


def _write(table: pa.Table, file: Any) -> None:
    options = pyarrow.csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
    pyarrow.csv.write_csv(table, file, options)

"""What ``data check`` looks at beyond what loading refuses: unusable numbers, known files, files that nobody reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from sea_core.data.dataset import Dataset
from sea_core.data.fingerprints import recognise
from sea_core.data.mmrec_folder import find_interactions, modality_files
from sea_core.data.sources.registry import sources
from sea_core.errors import UserError

# Products of two projected rows stay far inside float32 below this; published features end near 100.
LARGEST_FEATURE = 1e6
_BLOCK_ROWS = 4096


def refuse_untrainable(dataset: Dataset) -> None:
    """Refuse features with which training would stop or diverge.

    Raises:
        UserError: a modality of one column, or a value beyond ``LARGEST_FEATURE``; both are named.
    """
    for name, features in dataset.features.items():
        if features.shape[1] < 2:
            raise UserError(
                f"modality '{name}': expected at least 2 feature columns, which the model splits, found 1; "
                "add columns, or leave the modality out with --modalities"
            )
        for start in range(0, len(features), _BLOCK_ROWS):
            rows = np.abs(features[start : start + _BLOCK_ROWS])
            if rows.max() > LARGEST_FEATURE:
                row, column = np.unravel_index(int(rows.argmax()), rows.shape)
                raise UserError(
                    f"modality '{name}', row {start + row}, column {column}: expected values up to "
                    f"{LARGEST_FEATURE:g}, found {rows[row, column]:g}, with which training diverges; "
                    "scale the features, for instance to a standard deviation of 1"
                )


def about_files(folder: Path, modalities: Mapping[str, str] | None) -> list[str]:
    """Lines on the folder's files: which of them are known, and which nobody reads.

    Args:
        folder: in MMRec's format.
        modalities: name -> file of those that were loaded; None = the folder's own.
    """
    inter = find_interactions(folder)
    modalities = modalities or modality_files(folder)
    used = list(modalities.values())
    collections = tuple(source.collection for source in sources().values() if source.collection is not None)
    lines = []
    for path in (inter, *(folder / file for file in used)):
        words = recognise(path, collections) if path.is_file() else ""
        lines.append(f"{'file':<13} {path.name}: {words or 'not a file of the published tables'}")
    unread = sorted(path.name for path in folder.glob("*.npy") if path.name not in used)
    if unread:
        named = {name.removesuffix(".npy").removesuffix("_feat"): name for name in unread}
        every = {**modalities, **named}
        wanted = " ".join(name if file == f"{name}_feat.npy" else f"{name}={file}" for name, file in every.items())
        lines.append(f"{'ignored':<13} {', '.join(unread)}; to use all: --modalities {wanted}")
    return lines

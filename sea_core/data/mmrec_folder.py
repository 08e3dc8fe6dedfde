"""MMRec's folder format: one ``.inter`` file and one ``.npy`` file per modality (docs/data.md)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
from jaxtyping import Float

from sea_core.data.feature_file import read_features
from sea_core.data.inter_file import read_interactions
from sea_core.data.prepare.manifest import read_manifest
from sea_core.data.splits import Contents, Splits
from sea_core.errors import UserError

DEFAULT_MODALITIES = {"image": "image_feat.npy", "text": "text_feat.npy"}

# (users, items, training, validation, test) as published, for files with these names.
PUBLISHED_SIZES = {
    "baby": (19_445, 7_050, 118_551, 20_559, 21_682),
    "sports": (35_598, 18_357, 218_409, 37_899, 40_029),
    "clothing": (39_387, 23_033, 197_338, 40_150, 41_189),
}


def open_folder(folder: Path, *, modalities: Mapping[str, str] | None = None) -> Contents:
    """Read and check a folder's interactions; features are read and checked on demand.

    Args:
        folder: holds ``<folder name>.inter`` (or a single ``.inter`` file of any name) and the feature files.
        modalities: ordered map name -> feature file, used where the reader of features names none. None takes the
            folder's own, of its ``dataset.json``, or ``image`` and ``text``.

    Raises:
        UserError: anything that docs/data.md forbids.
    """
    path = find_interactions(folder)
    splits = read_interactions(path)
    manifest = read_manifest(folder) or {}
    own = modalities or modality_files(folder)
    notes = (*_compare_with_published(path.stem, splits), *manifest.get("notes", ()))

    def read_features(wanted: Mapping[str, str] | None) -> dict[str, Float[np.ndarray, "items dim"]]:
        return read_all_features(folder, own if wanted is None else wanted, items=splits.items)

    return Contents(splits, read_features, notes, manifest.get("split"))


def modality_files(folder: Path) -> Mapping[str, str]:
    """The folder's ordered map name -> feature file: of its ``dataset.json``, or ``image`` and ``text``."""
    manifest = read_manifest(folder) or {}
    return manifest.get("modalities") or DEFAULT_MODALITIES


def find_interactions(folder: Path) -> Path:
    """The folder's ``.inter`` file.

    Raises:
        UserError: no such folder, no ``.inter`` file, or several and none with the folder's name.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such dataset folder")
    named = folder / f"{folder.name}.inter"
    if os.path.isfile(named):  # unlike Path.is_file, says no where it may not look
        return named
    others = sorted(path for path in folder.glob("*.inter") if os.path.isfile(path))
    if len(others) == 1:
        return others[0]
    file_names = ", ".join(path.name for path in others) or "none"
    raise UserError(f"{folder}: expected {named.name} or exactly one .inter file, found {file_names}")


def read_all_features(
    folder: Path, modalities: Mapping[str, str], *, items: int
) -> dict[str, Float[np.ndarray, "items dim"]]:
    """Read each modality's file, in the order of the map.

    Raises:
        UserError: a file is missing, outside the folder, or not what ``read_features`` expects.
    """
    if not modalities:
        raise UserError(f"{folder}: expected at least one modality, got an empty map")
    return {name: read_features(_inside(folder, name, file), items=items) for name, file in modalities.items()}


def _inside(folder: Path, name: str, file: str) -> Path:
    """The path of a modality's file, which must lie in the folder."""
    escapes = (
        PurePosixPath(file).is_absolute()
        or bool(PureWindowsPath(file).drive)
        or ".." in PurePosixPath(file).parts
        or not file.isprintable()
    )
    path = folder / file
    if escapes:
        raise UserError(f"modalities.{name} must name a file inside {folder}, got {file!r}")
    if not os.path.isfile(path):
        present = ", ".join(sorted(p.name for p in folder.glob("*.npy"))) or "none, the folder holds interactions only"
        raise UserError(
            f"{path}: no such feature file for modality '{name}'; .npy files found: {present}; "
            "add it, or name the modalities you have: --set 'modalities={name: file.npy, ...}' in training, "
            "--modalities name=file.npy ... in data check and describe"
        )
    return path


def _compare_with_published(name: str, splits: Splits) -> tuple[str, ...]:
    expected = PUBLISHED_SIZES.get(name)
    actual = (splits.users, splits.items, len(splits.train), len(splits.valid), len(splits.test))
    if expected in (None, actual):
        return ()
    sizes = "users, items, training, validation, test"
    return (f"sizes differ from the published {name} ({sizes}): expected {expected}, found {actual}",)

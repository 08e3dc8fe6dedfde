"""``dataset.json``: what a prepared folder is, and how it was made. The loader reads modalities and split from it."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sea_core.errors import UserError

NAME = "dataset.json"
FORMAT = "sea-study dataset"
SCHEMA_VERSION = 1


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The folder's ``dataset.json``, None where it has none (or one of another program).

    Raises:
        UserError: it is damaged or of a newer schema.
    """
    path = folder / NAME
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read: {' '.join(str(error).split())}; prepare the dataset again") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return None
    if not isinstance(content.get("schema_version"), int) or content["schema_version"] > SCHEMA_VERSION:
        raise UserError(f"{path} has schema_version {content.get('schema_version')}; update SEA Study")
    modalities, split = content.get("modalities"), content.get("split")
    if not isinstance(modalities, dict) or not all(isinstance(file, str) for file in modalities.values()):
        raise UserError(f"{path}: 'modalities' must map names to feature files; prepare the dataset again")
    if split is not None and (not isinstance(split, dict) or not isinstance(split.get("protocol"), str)):
        raise UserError(f"{path}: 'split' must name its protocol; prepare the dataset again")
    return content


def versions() -> Mapping[str, str]:
    """Versions of what the content of a folder depends on."""
    packages = ("numpy", "scipy", "scikit-learn", "pyarrow", "sea-study")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def fingerprint(path: Path) -> dict[str, Any]:
    """Name, size and SHA-256 of a raw file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": digest}

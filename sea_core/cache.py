"""The cache folder: results that can be computed again, stored under a key of every input they depend on.

An entry is written to a temporary name, flushed and renamed, so a reader sees all of it or none. A damaged entry is
built again; a cache that cannot be written is done without. Nothing here is ever a pickle.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from sea_core.files import write_atomically, write_json
from sea_core.hashing import hash_arrays
from sea_core.project import project_folder

MANIFEST = "manifest.json"


def cache_root() -> Path:
    """The folder ``SEA_CACHE`` names, else ``.cache`` in the project, else ``.cache`` in the current folder."""
    named = os.environ.get("SEA_CACHE")
    if named:
        return Path(named).expanduser()
    return project_folder() / ".cache"


def scratch_folder() -> tempfile.TemporaryDirectory[str]:
    """A temporary folder inside the cache, gone after the ``with`` block: nothing is written outside the project."""
    cache_root().mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(dir=cache_root(), prefix=".scratch-")


@contextlib.contextmanager
def temporary_cache() -> Iterator[Path]:
    """Within the block the cache is an empty folder of its own, gone afterwards: for work that must leave no trace."""
    before = os.environ.get("SEA_CACHE")
    with tempfile.TemporaryDirectory(prefix="sea-cache-") as folder:
        os.environ["SEA_CACHE"] = folder
        try:
            yield Path(folder)
        finally:
            if before is None:
                del os.environ["SEA_CACHE"]
            else:
                os.environ["SEA_CACHE"] = before


def cache_key(inputs: Mapping[str, Any]) -> str:
    """32 hex digits over the inputs (JSON values), whatever their order."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:32]


def cached_arrays(
    kind: str, inputs: Mapping[str, Any], build: Callable[[], Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Return ``build()``'s arrays, from the cache if they were built from equal inputs before.

    Args:
        kind: what the arrays are; a folder of the cache.
        inputs: everything the arrays depend on, as JSON values; put a version of the method among them.
        build: computes the arrays; its errors are the caller's.
    """
    path = cache_root() / kind / f"{cache_key(inputs)}.safetensors"
    stored = _read_arrays(path)
    if stored is not None:
        return stored
    arrays = {name: np.ascontiguousarray(array) for name, array in build().items()}
    with contextlib.suppress(OSError):  # a full or read-only cache costs time, never the result
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, save(arrays, metadata={"content": hash_arrays(arrays)}))
    return arrays


def cached_folder(kind: str, inputs: Mapping[str, Any], build: Callable[[Path], None]) -> Path:
    """Return a folder that ``build(folder)`` filled, from the cache if it was built from equal inputs before.

    The folder gets a ``manifest.json`` with the inputs and the SHA-256 of each file.

    Raises:
        OSError: the cache folder cannot be written.
    """
    folder = cache_root() / kind / cache_key(inputs)
    if _is_intact(folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as temporary:
        fresh = Path(temporary) / "entry"
        fresh.mkdir()
        build(fresh)
        files = {file.name: _sha256(file) for file in sorted(fresh.iterdir())}
        write_json(fresh / MANIFEST, {"inputs": dict(inputs), "files": files})
        if folder.exists():  # damaged, or finished meanwhile by another process
            shutil.rmtree(folder, ignore_errors=True)
        try:
            fresh.rename(folder)
        except OSError:
            if not _is_intact(folder):
                raise
    return folder


def _read_arrays(path: Path) -> dict[str, np.ndarray] | None:
    """An entry's arrays, or None if there is no whole one."""
    try:
        with safe_open(path, framework="np") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            content = (file.metadata() or {}).get("content")
    except (OSError, SafetensorError):
        return None
    return arrays if content == hash_arrays(arrays) else None


def _is_intact(folder: Path) -> bool:
    try:
        files = json.loads((folder / MANIFEST).read_bytes())["files"]
        return all(_sha256(folder / name) == digest for name, digest in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""A run's state as bytes and on disk: safetensors, with the plain values as JSON in its header."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from sea_core.files import write_atomically
from sea_core.hashing import hash_tensors
from sea_core.training.run import TrainingRun

SCHEMA_VERSION = 1


class CheckpointError(Exception):
    """The checkpoint cannot be used: truncated, corrupted, or of another config, seed, dataset or schema."""


def to_bytes(run: TrainingRun) -> bytes:
    """Serialise a run's state."""
    tensors, values = run.state()
    header = {"schema_version": str(SCHEMA_VERSION), "values": json.dumps(values), "hash": hash_tensors(tensors)}
    return bytes(save_tensors({name: value.cpu().contiguous() for name, value in tensors.items()}, metadata=header))


def from_bytes(run: TrainingRun, data: bytes) -> None:
    """Continue a freshly built run from ``to_bytes``. On an error the run is in no defined state: build a new one.

    Raises:
        CheckpointError: see the class.
    """
    try:
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])["__metadata__"]
        if header["schema_version"] != str(SCHEMA_VERSION):
            raise CheckpointError(f"checkpoint schema {header['schema_version']}, this version reads {SCHEMA_VERSION}")
        tensors = load_tensors(data)
        if hash_tensors(tensors) != header["hash"]:
            raise CheckpointError("checkpoint content does not match its hash")
        run.load_state(tensors, json.loads(header["values"]))
    except CheckpointError:
        raise
    except MemoryError:
        raise  # nothing is wrong with the checkpoint
    except Exception as error:  # a damaged file can fail in whatever reads it first
        raise CheckpointError(f"unusable checkpoint: {' '.join(str(error).split())[:300]}") from error


def save_checkpoint(run: TrainingRun, path: Path) -> None:
    """Write ``to_bytes`` to a file: temporary name, flush to disk, rename."""
    write_atomically(path, to_bytes(run))


def load_checkpoint(run: TrainingRun, path: Path) -> None:
    """Continue a freshly built run from a file.

    Raises:
        CheckpointError: the file is missing or unusable.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error}") from error
    from_bytes(run, data)

"""Files written so that no reader and no crash ever sees half of one."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON, readable and atomic; NaN is refused because JSON has none."""
    write_atomically(path, json_bytes(value))


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """What ``write_json`` writes."""
    return (json.dumps(value, indent=2, allow_nan=False) + "\n").encode()


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that no reader and no crash ever sees half of it: temporary name, flush to disk, rename."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if error.filename is None:  # a full disk does not say which file it had no room for
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)

"""Receipts of openings of the test split: written by ``holdout.py``, checked wherever test numbers are shown.

A receipt file is a JSON list, one entry per opening, oldest first. Nothing is taken out, so openings can be counted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sea_core.errors import UserError
from sea_core.files import write_atomically

SCHEMA_VERSION = 1

_KINDS: dict[str, type | tuple[type, ...]] = {
    "schema_version": int,
    "subject": dict,  # a config, or a baseline's name and parameters
    "subject_hash": str,  # equals the record's config_hash if the subject is a config
    "seed": (int, type(None)),
    "dataset": str,
    "data_hash": str,
    "split_hash": str,
    "test_hash": str,  # of the test rows that were read
    "time": str,  # ISO 8601, UTC
}


def append_receipt(path: Path, receipt: Mapping[str, Any]) -> None:
    """Add a receipt to the file, which is created if missing.

    Raises:
        UserError: the file cannot be written, or what is there is no list of receipts.
    """
    earlier = read_receipts(path) if path.exists() else []
    text = json.dumps([*earlier, dict(receipt)], indent=2, allow_nan=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())
    except OSError as error:
        raise UserError(f"cannot write the receipt {path}: {error.strerror}; the test split stays closed") from None


def read_receipts(path: Path) -> list[dict[str, Any]]:
    """Read all openings, oldest first.

    Raises:
        UserError: missing, unreadable, not a list of receipts, or of a newer schema.
    """
    try:
        receipts = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"no receipt {path}: test metrics without one are not trusted; delete {path.parent}, and the command that "
            "wrote it trains the run and opens the test split again"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"cannot read the receipt {path}: {error}") from None
    if not isinstance(receipts, list) or not receipts:
        raise UserError(f"{path} must be a list of receipts with at least one entry")
    for number, receipt in enumerate(receipts):
        for key, kind in _KINDS.items():
            if not isinstance(receipt, dict) or not isinstance(receipt.get(key, ...), kind):
                raise UserError(f"{path}: receipt {number} has no valid '{key}'")
        if receipt["schema_version"] > SCHEMA_VERSION:
            raise UserError(
                f"{path} has schema_version {receipt['schema_version']}, this version reads up to {SCHEMA_VERSION}; "
                "update SEA Study"
            )
    return receipts


def check_receipt(record: Mapping[str, Any], receipt: Mapping[str, Any], *, source: str = "the receipt") -> None:
    """Check that a receipt is that of a run: same data, split and seed, and the same config if the run has one.

    Args:
        record: the run's ``record.json``; needs ``data_hash`` and ``split_hash``.
        receipt: one entry of ``read_receipts``.
        source: names the receipt in errors.

    Raises:
        UserError: they differ.
    """
    pairs = {"data_hash": "data_hash", "split_hash": "split_hash", "seed": "seed", "config_hash": "subject_hash"}
    for mine, theirs in pairs.items():
        if mine in record and record[mine] != receipt[theirs]:
            raise UserError(
                f"{source} is not of this run: {theirs} is {receipt[theirs]}, the run's {mine} is {record[mine]}; "
                "its test metrics cannot be shown"
            )

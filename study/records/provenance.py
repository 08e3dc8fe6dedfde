"""Where a study's numbers come from: code, data, software, machine and command of every invocation."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.files import write_json
from sea_core.plugins import loaded_plugins
from sea_core.provenance import machine, versions
from study.records.folder import StudyFolder, now

SCHEMA_VERSION = 1


def write_provenance(folder: StudyFolder, dataset: Dataset) -> None:
    """Write ``provenance.json``; a later invocation is added under ``resumed`` and the first one's facts are kept."""
    facts = {
        **source_version(),
        "versions": versions(),
        "machine": machine(),
        "command": shlex.join(sys.argv),
        "time": now(),
    }
    if plugins := loaded_plugins():
        facts["plugins"] = [{"path": each.path, "hash": each.hash, "trains": list(each.trains)} for each in plugins]
    try:
        stored: dict[str, Any] = json.loads(folder.provenance.read_text(encoding="utf-8"))
        stored["resumed"] = [*stored["resumed"], facts]
    except (OSError, ValueError, KeyError, TypeError):
        stored = {
            "schema_version": SCHEMA_VERSION,
            **facts,
            "dataset": dataset.name,
            "source": dataset.source,
            "data_hash": dataset.data_hash,
            "split_hash": dataset.split_hash,
            **dataset.split_record,
            "feature_hashes": dataset.feature_hashes,
            "resumed": [],
        }
    write_json(folder.provenance, stored)


def read_provenance(folder: StudyFolder) -> dict[str, Any]:
    """What ``provenance.json`` says; empty where there is none, as in an ablation without a search.

    Raises:
        UserError: it is damaged.
    """
    try:
        content = json.loads(folder.provenance.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(folder, " ".join(str(error).split())) from None
    if not isinstance(content, dict):
        raise _damaged(folder, f"it must hold an object, found {type(content).__name__}")
    resumed = content.get("resumed", [])
    if not isinstance(resumed, list) or not all(isinstance(call, dict) for call in resumed):
        raise _damaged(folder, "resumed must be a list of objects")
    return content


def _damaged(folder: StudyFolder, what: str) -> UserError:
    return UserError(
        f"cannot read how the study was made: {folder.provenance} is damaged ({what}); no result rests on it: restore "
        "it from a backup, or delete it, and the next command writes it anew"
    )


def source_version() -> dict[str, Any]:
    """``commit`` and whether the tree is ``dirty``; both None where this is no git checkout."""
    root = Path(__file__).resolve().parents[2]
    try:
        if _git(root, "rev-parse", "--show-toplevel") != str(root):
            return {"commit": None, "dirty": None}
        return {"commit": _git(root, "rev-parse", "HEAD"), "dirty": _git(root, "status", "--porcelain") != ""}
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "dirty": None}


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    # No user string is part of the command.
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()  # noqa: S603

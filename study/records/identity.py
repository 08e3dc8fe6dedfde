"""What a study is: the choices that must not change under one name, kept in ``config.yaml``.

How long to search and where (trials, time, workers, device, display) are not part of it, nor how the result is
finalised.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import yaml

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.files import write_atomically
from sea_core.plugins import training_plugins
from study.records.folder import StudyFolder
from study.records.study import read_identity

SCHEMA_VERSION = 1
# The first trials are in the study's queue from its beginning on; a later version may propose others.
_NOT_IDENTITY = ("schema_version", "study", "source", "first", "final_epochs")


def make_identity(
    folder: StudyFolder,
    dataset: Dataset,
    *,
    base: Config,
    space: Mapping[str, Any],
    sampler: str,
    pruner: str,
    seed: int,
) -> dict[str, Any]:
    """The content of ``config.yaml``, in plain values, ``space`` among them (``searching/space.py``, ``as_plain``)."""
    plugins = training_plugins()
    return {
        "schema_version": SCHEMA_VERSION,
        "study": folder.name,
        "dataset": dataset.name,
        "source": dataset.source,
        "data_hash": dataset.data_hash,
        "seed": seed,
        "sampler": sampler,
        "pruner": pruner,
        "metric": base.valid_metric,
        "space": dict(space),
        "config": base.as_dict(),
        **({"plugins": plugins} if plugins else {}),
    }


def check_identity(folder: StudyFolder, identity: Mapping[str, Any]) -> bool:
    """Whether the study is there already.

    Raises:
        UserError: it is, and it is another one; the message shows the differences.
    """
    stored = read_identity(folder)
    if not stored:
        if folder.database.exists():
            raise UserError(f"{folder.root} has a study.db but no config.yaml; choose another --study-name")
        return False
    if stored.get("schema_version", 0) > SCHEMA_VERSION:
        raise UserError(f"{folder.identity} was written by a newer version of SEA Study; update it")
    lacking = [key for key in identity if key not in (*stored, "first", "final_epochs", "warm_start", "plugins")]
    if lacking or not isinstance(stored["config"], Mapping):
        raise UserError(
            f"{folder.identity} is damaged: it has no {lacking[0] if lacking else 'map named config'}; restore it, or "
            "choose another --study-name"
        )
    if changes := differences(_essence(_completed(stored)), _essence(identity)):
        raise UserError(
            f"the study {folder.root} was made with other settings ({'; '.join(changes)}), says "
            f"{folder.identity.name}; repeat the settings it was made with, or choose another --study-name"
        )
    return True


def write_identity(folder: StudyFolder, identity: Mapping[str, Any]) -> None:
    """Write ``config.yaml``."""
    text = yaml.safe_dump(dict(identity), sort_keys=False, allow_unicode=True)
    write_atomically(folder.identity, text.encode())


def differences(stored: Any, wanted: Any, path: str = "") -> list[str]:
    """``temperature in config: was 0.2, now 0.3`` for every leaf that differs."""
    if isinstance(stored, Mapping) and isinstance(wanted, Mapping):
        found: list[str] = []
        for key in [*stored, *(key for key in wanted if key not in stored)]:
            inner = f"{path}.{key}" if path else str(key)
            found += differences(stored.get(key), wanted.get(key), inner)
        return found
    return [] if stored == wanted else [f"{path}: was {_show(stored)}, now {_show(wanted)}"]


def _completed(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored identity with the config fields that came later; studies made before did what the defaults do."""
    default = Config(model=stored["config"].get("model", Config.model)).as_dict()
    return {**stored, "config": {**default, **stored["config"]}}


def identity_hash(identity: Mapping[str, Any]) -> str:
    """A short hash of what must not change under one name."""
    return hashlib.sha256(json.dumps(_essence(identity)).encode()).hexdigest()[:16]


def _essence(identity: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in identity.items() if key not in _NOT_IDENTITY}


def _show(value: Any) -> str:
    return "absent" if value is None else str(value)

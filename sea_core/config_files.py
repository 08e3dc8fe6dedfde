"""From YAML files and ``--set key=value`` to a ``Config``, with errors that name the file and the key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from sea_core.config import Config
from sea_core.errors import UserError
from sea_core.plugins import load_plugins
from sea_core.strict_yaml import read_yaml

# Choices of a command, not of the model: a record keeps them beside the config.
_OPTIONS = ("preset", "seed", "device", "threads")


def build_config(
    preset: str | None = None,
    file: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Config:
    """Build a config from its sources: preset, then file, then ``--set``, then explicit options; later ones win.

    Args:
        preset: one of the model's; None takes its first.
        file: YAML mapping of config keys to values, or any record that holds a config (``read_config``).
        settings: single config keys, as ``--set`` takes them.
        extra: config key -> value of the command's own option of that name (``epochs`` of ``--epochs``); None means
            that the option was not given.

    Raises:
        UserError: an unreadable file, an unknown key or an illegal value, even where a later source replaces it. The
            message names the source.
    """
    sources = {
        str(file): {} if file is None else read_config(file),
        "--set": dict(settings or {}),
        "the options": {key: value for key, value in (extra or {}).items() if value is not None},
    }
    known = {item.name for item in fields(Config)}
    # The model decides which keys there are, wherever it is named.
    named = [mapping["model"] for mapping in sources.values() if "model" in mapping]
    model = {"model": named[-1]} if named else {}
    merged: dict[str, Any] = {}
    for source, mapping in sources.items():
        for key, value in mapping.items():
            if key in _OPTIONS:
                raise UserError(f"'{key}' is an option, not a config key: remove it from {source} and give --{key}")
            # One key at a time, so that a complaint names where its value came from.
            where = f"{key} in {source}" if key in known else source
            Config.from_mapping({**model, key: value}, preset=preset, source=where)
        merged |= mapping
    return Config.from_mapping(merged, preset=preset, source="all sources together")


def read_config(path: Path) -> dict[str, Any]:
    """The config keys in a file: of a config file, a run's ``record.json``, or a study's ``config.yaml``.

    A study's ``summary.json`` gives the winner's config, or the best trial's where no winner was selected. The
    ``plugins:`` of a config file, paths relative to it, are loaded; what a record says of plugins never is.

    Raises:
        UserError: as ``read_yaml`` and ``load_plugins``; or a record that holds no config.
    """
    content = read_yaml(path)
    if "schema_version" not in content:
        load_plugins(path.parent / each for each in _plugins(content.pop("plugins", []), path))
        return content
    final, best = content.get("final"), content.get("best")
    for holder in (content, final, best):
        if isinstance(holder, Mapping) and isinstance(holder.get("config"), Mapping):
            return dict(holder["config"])
    raise UserError(
        f"{path} is a record without a config; give a run's record.json, or write one with study/export.py STUDY"
    )


def _plugins(listed: Any, source: Path) -> list[str]:
    names = [listed] if isinstance(listed, str) else listed
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UserError(f"plugins in {source} must be a list of Python files, like [mine.py], got {listed!r}")
    return names

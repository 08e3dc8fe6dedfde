"""Ablation arms: named variants of the model, each one YAML file that states what it changes (``ablations/arms/``)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sea_core.config import Config
from sea_core.data.transforms import check_transform
from sea_core.errors import UserError, suggest
from sea_core.models.registry import find_model, keys_unread, what_instead
from sea_core.strict_yaml import read_yaml
from study.records.arm_names import ABLATIONS, FULL, arm_names, suite_arms

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


# What makes a comparison of two models fair; the rest is each model's own.
_SAME_FOR_EVERY_MODEL = (
    "modalities",
    "feature_transform",
    "batch_size",
    "epochs",
    "stopping_step",
    "stopping_decimals",
    "valid_metric",
    "metrics",
)


@dataclass(frozen=True)
class Arm:
    """A named variant of the model.

    Attributes:
        name: names its folder and ``--arms``.
        title: its row in tables, ``w/o CLUB``.
        changes: config keys and their values in this arm; ``modalities`` may be a list of names to keep.
        why: the claim that it tests.
        removes: patterns of the weights that the arm does not build.
        redraws: patterns of the weights whose initial values differ because their shape or role does.
        source: the file it was read from, named in errors.
    """

    name: str
    title: str
    changes: Mapping[str, Any]
    why: str
    removes: tuple[str, ...] = ()
    redraws: tuple[str, ...] = ()
    source: str = field(default="arm", compare=False)

    def apply(self, config: Config, modalities: Sequence[str]) -> Config:
        """The arm's config: ``config`` with the arm's changes and nothing else.

        Args:
            config: the full model's.
            modalities: names of the dataset's modalities, in model order, that ``config`` uses.

        Raises:
            UserError: the arm cannot be applied here, or would change nothing.
        """
        if self.changes.get("model", config.model) != config.model:
            return self._of_another_model(config)
        model = find_model(config.model)
        for key in self.changes:
            if key in keys_unread(model):
                raise UserError(
                    f"arm '{self.name}' changes '{key}', which model '{model.name}' does not read; "
                    f"{what_instead(key, model)}"
                )
        changes = dict(self.changes)
        if isinstance(changes.get("modalities"), list | tuple):
            changes |= self._keep(changes["modalities"], config, modalities)
        changed = config.override(**changes)
        if changed == config and self.name != FULL:
            raise UserError(f"arm '{self.name}' changes nothing: {_show(self.changes)} is what the config has already")
        kept = tuple(modalities) if changed.modalities is None else tuple(changed.modalities)
        if changed.feature_transform is not None:
            check_transform(changed.feature_transform, kept)
        if changed.club_fit_pairs == "cross_modal" and changed.distancing == "club" and len(kept) != 2:
            raise UserError(
                f"arm '{self.name}' fits CLUB across modalities (club_fit_pairs: cross_modal), which needs exactly two "
                f"modalities; here they are {', '.join(kept)}"
            )
        return changed

    def _of_another_model(self, config: Config) -> Config:
        """Another model at its default preset, with the full model's data, batches, epochs, stopping and metrics."""
        model = find_model(self.changes["model"])
        same = {key: getattr(config, key) for key in _SAME_FOR_EVERY_MODEL if key not in keys_unread(model)}
        return Config.from_mapping({**same, **self.changes}, source=f"arm '{self.name}'")

    def _keep(self, names: Sequence[str], config: Config, modalities: Sequence[str]) -> dict[str, Any]:
        """The changes that leave only the named modalities."""
        missing = [name for name in names if name not in modalities]
        if missing:
            raise UserError(
                f"arm '{self.name}' keeps modality '{missing[0]}', but the data have {', '.join(modalities)}; "
                f"copy {self.source} and name one of these, then pass your file to --arms"
            )
        # Not every dataset has feature files, but all answer to these names.
        feature_files = config.modalities or {name: f"{name}_feat.npy" for name in modalities}
        changes: dict[str, Any] = {"modalities": {name: feature_files[name] for name in names}}
        if config.item_graph_weights is not None:
            kept = {name: config.item_graph_weights[name] for name in names}
            total = sum(kept.values())
            changes["item_graph_weights"] = {name: w / total if total else 1 / len(kept) for name, w in kept.items()}
        return changes


def load_arms(names: Sequence[str]) -> list[Arm]:
    """The named arms, ``full`` first and each once.

    Args:
        names: arms of ``ablations/arms/`` or paths of YAML files.

    Raises:
        UserError: an unknown name, a faulty file, or two different arms of one name.
    """
    arms = {FULL: _load_shipped(FULL)}
    for name in names:
        arm = read_arm(Path(name)) if name.endswith((".yaml", ".yml")) else _load_shipped(name)
        if arms.setdefault(arm.name, arm) != arm:
            raise UserError(f"two arms are named '{arm.name}': {arms[arm.name].source} and {arm.source}; rename one")
    return list(arms.values())


def load_suite(name: str) -> list[Arm]:
    """The arms of a suite of ``ablations/suites.yaml``, or of all of them.

    Raises:
        UserError: an unknown suite, or a faulty file.
    """
    return load_arms(suite_arms(name))


def read_arm(path: Path) -> Arm:
    """Read an arm from a YAML file with ``name``, ``title``, ``changes``, ``why`` and, if it likes, ``expects``.

    Raises:
        UserError: unreadable, not YAML, a missing or unknown key, or a change that no config allows.
    """
    content = read_yaml(path)
    expected = ("name", "title", "changes", "why")
    for key in expected:
        if key not in content:
            raise UserError(f"{path}: missing key '{key}'; expected {', '.join(expected)}, found {', '.join(content)}")
    for key in content:
        if key not in (*expected, "expects"):
            raise UserError(f"{path}: unknown key '{key}'{suggest(key, [*expected, 'expects'])}")
    name, title, changes, why = (content[key] for key in expected)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UserError(f"{path}: name must be letters, digits, '-', '_' and '.' (it names a folder), got {name!r}")
    if not isinstance(title, str) or not title.strip() or not isinstance(why, str):
        raise UserError(f"{path}: title and why must be text, got {title!r} and {why!r}")
    if not isinstance(changes, Mapping):
        raise UserError(f"{path}: changes must map config keys to values, got {changes!r}")
    if not changes and name != FULL:
        raise UserError(f"{path}: changes is empty, so '{name}' would be the full model; name at least one config key")
    for key, value in changes.items():  # which model they will meet is not known yet
        Config.legal(str(key), value, source=str(path))
    expects = content.get("expects") or {}
    known = isinstance(expects, Mapping) and set(expects) <= {"removes", "redraws"}
    if not known or not all(isinstance(patterns, list) for patterns in expects.values()):
        raise UserError(f"{path}: expects may have 'removes' and 'redraws', lists of weights, got {expects!r}")
    return Arm(
        name=name,
        title=title.strip(),
        changes=dict(changes),
        why=" ".join(why.split()),
        removes=tuple(expects.get("removes", ())),
        redraws=tuple(expects.get("redraws", ())),
        source=str(path),
    )


def _load_shipped(name: str) -> Arm:
    if name not in arm_names():
        raise UserError(f"unknown arm '{name}'{suggest(name, arm_names())} (or pass the path of an arm's YAML file)")
    return read_arm(ABLATIONS / "arms" / f"{name}.yaml")


def _show(changes: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in changes.items())

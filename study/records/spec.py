"""What a study is: the choices that must not change under one name, kept in ``config.yaml``.

How long to search and where (trials, time, workers, device, display) are not part of it, nor how the result is
finalised.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from sea_core.config import Config
from sea_core.errors import UserError
from sea_core.files import write_atomically
from study.records.folder import StudyFolder

SCHEMA_VERSION = 1
METRIC = "recall@20"  # of studies that do not say by which metric they searched
# Where a study lies, and what it tries first: the first trials are in its queue from its beginning on, and a later
# version may propose others.
_NOT_IDENTITY = ("schema_version", "study", "source", "first", "final_epochs", "warm_start_from")
_CAME_LATER = (
    "first",
    "final_epochs",
    "warm_start",
    "warm_start_from",
    "plugins",
    "split_seeds",
    "promotion",
)  # studies from before do without


_SHOWN, _LONGEST = 3, 60  # differences in a message, and characters of a value


@dataclass(frozen=True, kw_only=True)
class StudySpec:
    """The content of ``config.yaml``. Fields that a file lacks have their defaults: a reader takes what is there.

    Attributes:
        study: the study's name.
        dataset, source, data_hash: what was trained on, and where it was found.
        seed: of the search and of every trial; fresh seeds are derived from it.
        sampler, pruner: names in ``searching/methods.py``.
        promotion: rungs and rules of the pruner ``promote``; None of others.
        metric: the validation metric that trials are judged by; higher is better.
        space: parameter -> its entry, in plain values (``searching/space.py``, ``as_plain``).
        config: every field of the config that trials share, but for the searched parameters.
        plugins: what the user's own files add to training, by name.
        final_epochs: cap of finalists, winner and arms; None of studies in which it was that of the trials.
        seeds_per_trial: the most seeds a trial is judged on.
        split_seeds: on how many splits the fresh seeds train in turn; 0 = on the data's own.
        first: parameters of the trials that came before the sampler's.
        warm_start: those of them that earlier studies gave.
        warm_start_from: names of these studies.
    """

    study: str = ""
    dataset: str = ""
    source: str | None = None
    data_hash: str = ""
    seed: int = 999
    sampler: str = ""
    pruner: str = ""
    promotion: Mapping[str, Any] | None = None
    metric: str = METRIC
    space: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    plugins: Any = None
    final_epochs: int | None = None
    seeds_per_trial: int = 1
    split_seeds: int = 0
    first: Sequence[Mapping[str, Any]] = ()
    warm_start: Sequence[Mapping[str, Any]] = ()
    warm_start_from: Sequence[str] = ()

    @classmethod
    def from_mapping(cls, content: Mapping[str, Any], *, source: str) -> StudySpec:
        """Read what a file holds.

        Raises:
            UserError: it is of a newer version, or a value is of another kind than expected.
        """
        if _schema(content) > SCHEMA_VERSION:
            raise UserError(f"{source} was written by a newer version of SEA Study; update it")
        known = {name: content[name] for name in cls.__dataclass_fields__ if content.get(name) is not None}
        if isinstance(known.get("warm_start_from"), str):  # there was one at most
            known["warm_start_from"] = [known["warm_start_from"]]
        kinds: Mapping[type, Sequence[str]] = {
            str: ("study", "dataset", "data_hash", "sampler", "pruner", "metric"),
            int: ("seed", "final_epochs", "seeds_per_trial", "split_seeds"),
            Mapping: ("space", "config", "promotion"),
            list: ("first", "warm_start", "warm_start_from"),
        }
        for kind, names in kinds.items():
            for name in names:
                if name in known and not isinstance(known[name], kind):
                    what = {str: "text", int: "whole number", list: "list"}.get(kind, "map")
                    raise UserError(
                        f"{source} is damaged: it has no {what} named {name}; restore it, or choose another "
                        "--study-name"
                    )
        return cls(**known)

    def as_dict(self) -> dict[str, Any]:
        """The content of ``config.yaml``; what a study does without is left out."""
        return {
            "schema_version": SCHEMA_VERSION,
            "study": self.study,
            "dataset": self.dataset,
            "source": self.source,
            "data_hash": self.data_hash,
            "seed": self.seed,
            "sampler": self.sampler,
            "pruner": self.pruner,
            **({"promotion": dict(self.promotion)} if self.promotion is not None else {}),
            "metric": self.metric,
            "space": dict(self.space),
            "config": dict(self.config),
            **({"plugins": self.plugins} if self.plugins else {}),
            **({"final_epochs": self.final_epochs} if self.final_epochs is not None else {}),
            **({"seeds_per_trial": self.seeds_per_trial} if self.seeds_per_trial > 1 else {}),
            **({"split_seeds": self.split_seeds} if self.split_seeds else {}),
            **({"first": [dict(each) for each in self.first]} if self.first else {}),
            **({"warm_start": [dict(each) for each in self.warm_start]} if self.warm_start else {}),
            **({"warm_start_from": list(self.warm_start_from)} if self.warm_start_from else {}),
        }

    def fingerprint(self) -> str:
        """A short hash of what must not change under one name."""
        return hashlib.sha256(json.dumps(self._essence()).encode()).hexdigest()[:16]

    def differences(self, wanted: StudySpec) -> list[str]:
        """``config.temperature: was 0.2, now 0.3`` for every choice that ``wanted`` makes otherwise.

        Config fields that came after the study was made did in it what their defaults do.
        """
        default = Config(model=self.config.get("model", Config.model)).as_dict()
        completed = self._essence() | {"config": {**default, **self.config}}
        return _differences(completed, wanted._essence())

    def _essence(self) -> dict[str, Any]:
        return {key: value for key, value in self.as_dict().items() if key not in _NOT_IDENTITY}


def read_spec(folder: StudyFolder) -> StudySpec | None:
    """The study's ``config.yaml``; None where there is none, as beside ablations alone.

    Raises:
        UserError: the file is unreadable, damaged, or of a newer version.
    """
    content = _read(folder)
    return StudySpec.from_mapping(content, source=str(folder.identity)) if content else None


def check_spec(folder: StudyFolder, wanted: StudySpec) -> bool:
    """Whether the study is there already.

    Raises:
        UserError: it is, and it is another one; the message shows the differences.
    """
    content = _read(folder)
    if not content:
        if folder.database.exists():
            raise UserError(f"{folder.root} has a study.db but no config.yaml; choose another --study-name")
        return False
    stored = StudySpec.from_mapping(content, source=str(folder.identity))
    lacking = [key for key in wanted.as_dict() if key not in (*content, *_CAME_LATER)]
    if lacking:
        raise UserError(
            f"{folder.identity} is damaged: it has no {lacking[0]}; restore it, or choose another --study-name"
        )
    if changes := stored.differences(wanted):
        more = [f"and {len(changes) - _SHOWN} more"] if len(changes) > _SHOWN else []
        raise UserError(
            f"the study {folder.root} was made with other settings ({'; '.join([*changes[:_SHOWN], *more])}), says "
            f"{folder.identity.name}; repeat the settings it was made with, or choose another --study-name"
        )
    return True


def write_spec(folder: StudyFolder, spec: StudySpec) -> None:
    """Write ``config.yaml``."""
    text = yaml.safe_dump(spec.as_dict(), sort_keys=False, allow_unicode=True)
    write_atomically(folder.identity, text.encode())


def _read(folder: StudyFolder) -> dict[str, Any]:
    try:
        content = yaml.safe_load(folder.identity.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, AttributeError, yaml.YAMLError, RecursionError) as error:  # PyYAML lets some through
        what = " ".join(str(error).split())[:300]
        raise UserError(f"cannot read {folder.identity}: {what}; restore it, or use another --study-name") from None
    if not isinstance(content, dict):
        raise UserError(f"{folder.identity} must hold a mapping, found {type(content).__name__}")
    return content


def _schema(content: Mapping[str, Any]) -> int:
    version = content.get("schema_version", 0)
    return version if isinstance(version, int) else SCHEMA_VERSION + 1


def _differences(stored: Any, wanted: Any, path: str = "") -> list[str]:
    if isinstance(stored, Mapping) and isinstance(wanted, Mapping) and not _is_range(stored) | _is_range(wanted):
        differing: list[str] = []
        for key in [*stored, *(key for key in wanted if key not in stored)]:
            inner = f"{path}.{key}" if path else str(key)
            differing += _differences(stored.get(key), wanted.get(key), inner)
        return differing
    return [] if stored == wanted else [f"{path}: was {_show(stored)}, now {_show(wanted)}"]


def _is_range(value: Mapping[str, Any]) -> bool:
    """Whether this is what a search space says of one parameter."""
    return "choices" in value or {"low", "high"} <= value.keys()


def _show(value: Any) -> str:
    """A value in words, cut to what stays readable: a range of a space, say, ``0.05 to 1.0 on a log scale``."""
    if value is None:
        return "absent"
    text = str(value)
    if isinstance(value, Mapping) and {"low", "high"} <= value.keys():
        step = f" in steps of {value['step']}" if "step" in value else ""
        text = f"{value['low']} to {value['high']}{step}{' on a log scale' if value.get('log') else ''}"
    elif isinstance(value, Mapping) and isinstance(value.get("choices"), list):
        text = f"one of {', '.join(map(str, value['choices']))}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

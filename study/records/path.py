"""The ablation path of a study, as ``path/path.json`` says it: which change came after which, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sea_core.errors import UserError
from sea_core.files import write_json
from study.records.folder import StudyFolder

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class PathStep:
    """One change on the way.

    Attributes:
        key: the parameter that was changed.
        before, after: its values.
        config_hash: of the configuration after the change.
        values: parameter that could have been changed here -> validation values on the first of the choice's seeds;
            fewer of one that fell behind, None where it failed. Empty where there was nothing to choose.
    """

    key: str
    before: Any
    after: Any
    config_hash: str
    values: Mapping[str, Sequence[float | None]]

    @property
    def change(self) -> str:
        """``temperature 0.2 → 0.31``."""
        return f"{self.key} {short(self.before)} → {short(self.after)}"


@dataclass(frozen=True, kw_only=True)
class AblationPath:
    """A path from the base configuration to the winner.

    Attributes:
        metric: of the choice, on validation.
        choose: how each next change was chosen: ``greedy``, ``race`` or ``once``.
        choice_seeds: on which candidates were compared; none of them is among ``seeds``.
        seeds: on which the steps were then trained and tested.
        start, end: config hashes of both ends.
        steps: in their order.
        unread: parameters in which the ends differ and that nothing reads.
        chosen_again: how often the order was chosen anew after steps had been tested.
    """

    metric: str
    choose: str
    choice_seeds: tuple[int, ...]
    seeds: tuple[int, ...]
    start: str
    end: str
    steps: tuple[PathStep, ...]
    unread: tuple[str, ...] = ()
    chosen_again: int = 0

    @property
    def configs(self) -> list[str]:
        """Config hashes from the start to the end."""
        return [self.start, *(step.config_hash for step in self.steps)]


def read_path(folder: StudyFolder) -> AblationPath | None:
    """None where no path was walked.

    Raises:
        UserError: the file is damaged or of a newer version.
    """
    try:
        content: dict[str, Any] = json.loads(folder.path.read_text(encoding="utf-8"))
        if content["schema_version"] > SCHEMA_VERSION:
            raise UserError(f"{folder.path} was written by a newer version of SEA Study; update it")
        known = {name: content[name] for name in AblationPath.__dataclass_fields__}
        listed = {name: tuple(known[name]) for name in ("choice_seeds", "seeds", "unread")}
        return AblationPath(**known | listed | {"steps": tuple(PathStep(**step) for step in known["steps"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"cannot read {folder.path}: {error}; delete it and repeat ablations/run_path.py, which writes it anew"
        ) from None


def write_path(folder: StudyFolder, path: AblationPath) -> None:
    """Write ``path.json``; its folder is made."""
    folder.path.parent.mkdir(parents=True, exist_ok=True)
    write_json(folder.path, {"schema_version": SCHEMA_VERSION, **asdict(path)})


def short(value: Any) -> str:
    """A value of a parameter with three digits."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)

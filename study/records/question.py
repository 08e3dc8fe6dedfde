"""What a study asks of its arms, fixed before the first of them runs: metric, contrasts, margin and looks.

A question that is fixed when the answers are known can be chosen to fit them. So the first ablation run writes it down,
with the time and the commit; whoever asks differently later gets a new question that is marked as changed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sea_core.errors import UserError
from sea_core.files import write_json
from study.records.folder import now
from study.records.provenance import source_version

SCHEMA_VERSION = 1
CONTRASTS = ("no-club", "no-solosim", "no-both")
MARGIN = 0.02
ALPHA = 0.05


@dataclass(frozen=True)
class Question:
    """A family of questions that share one level.

    Attributes:
        metric: the primary one.
        contrasts: arms whose difference to ``full`` is primary, frozen and by this metric.
        margin: largest difference that does not matter, as a share of the reference's mean.
        alpha: level of all verdicts together.
        seeds: planned, in the order in which they are run; all arms share them.
        looks: numbers of seeds at which is looked, the last being all of ``seeds``.
        arms: of the first run; others came later and form a family of their own.
        fixed: when, ISO 8601; empty if it never was and these are the defaults.
        commit: of the code; None where unknown.
        changed: how often the question was changed after the first run.
        extra_seeds: of ``full`` alone, which every contrast shares; only of a fixed design.
        searches: independent searches of each re-tuned arm; 1 = what they show is described, not decided.
    """

    metric: str
    contrasts: tuple[str, ...]
    margin: float
    alpha: float
    seeds: tuple[int, ...]
    looks: tuple[int, ...]
    arms: tuple[str, ...]
    fixed: str = ""
    commit: str | None = None
    changed: int = 0
    searches: int = 1
    extra_seeds: tuple[int, ...] = ()

    def asks_like(self, other: Question) -> bool:
        """Whether both ask the same; arms may have been added, and when it was fixed does not matter."""
        mine, theirs = (replace(each, arms=(), fixed="", commit=None, changed=0) for each in (self, other))
        return mine == theirs


def read_question(path: Path) -> Question | None:
    """The question that holds, the last one written; None if none was.

    Raises:
        UserError: the file is damaged or of a newer schema.
    """
    entries = _entries(path)
    return entries[-1] if entries else None


def fix_question(path: Path, question: Question, *, after_runs: bool = False, searched: bool = True) -> Question:
    """Write a question down if it is the first or a changed one; the one that holds.

    Args:
        path: ``question.json`` of the study; its folder exists.
        question: ``fixed``, ``commit`` and ``changed`` are filled in here.
        after_runs: arms have run already, so that a first question counts as a changed one.
        searched: re-tuned arms have run; before that the number of their searches may still be said.

    Raises:
        UserError: as ``read_question``.
    """
    entries = _entries(path)
    if entries and entries[-1].asks_like(question):
        return entries[-1]
    if entries and not searched and entries[-1].asks_like(replace(question, searches=entries[-1].searches)):
        amended = [*entries[:-1], replace(entries[-1], searches=question.searches)]
        _write(path, amended)
        return amended[-1]
    stamped = replace(question, fixed=now(), commit=source_version()["commit"], changed=len(entries) or int(after_runs))
    _write(path, [*entries, stamped])
    return stamped


def assumed_question(metric: str, arms: Sequence[str], seeds: Sequence[int]) -> Question:
    """The default question of records that come without one: whatever seeds there are were one look."""
    contrasts = tuple(arm for arm in CONTRASTS if arm in arms) or tuple(arms)
    return Question(metric, contrasts, MARGIN, ALPHA, tuple(seeds), (len(seeds),), tuple(arms))


def _write(path: Path, entries: Sequence[Question]) -> None:
    write_json(path, {"schema_version": SCHEMA_VERSION, "questions": [asdict(each) for each in entries]})


def _entries(path: Path) -> list[Question]:
    if not path.exists():
        return []
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        schema = content["schema_version"]
        questions = [_question(each) for each in content["questions"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"cannot read {path}: {error}; restore it: it says what was asked before the runs") from None
    if schema > SCHEMA_VERSION:
        raise UserError(f"{path} has schema_version {schema}, this version reads up to {SCHEMA_VERSION}")
    return questions


def _question(entry: dict[str, Any]) -> Question:
    lists = {name: tuple(entry[name]) for name in ("contrasts", "seeds", "looks", "arms")}
    lists["extra_seeds"] = tuple(entry.get("extra_seeds", ()))
    return Question(**{**entry, **lists})

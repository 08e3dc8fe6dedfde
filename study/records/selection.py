"""How a study's winner was chosen, as ``final/selection.json`` says it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from sea_core.errors import UserError
from study.records.folder import StudyFolder


class Selection(NamedTuple):
    """The choice of a winner.

    Attributes:
        winner: number of the trial.
        rule: what it was chosen by, in words.
        finalists: numbers of the trials that finished the competition.
        seeds: fresh seeds of the winner.
        competed_on: on how many seeds the finalists were trained; 0 where nobody competed.
        trials: how many trials were finished when it was chosen; None of studies from before this was written.
        shrinkage: ``search_value``, ``fresh_mean`` and ``difference``; None until the winner is trained.
        tuning: ``default_mean`` and ``difference``: what the winner has over the base configuration; None if unknown.
    """

    winner: int
    rule: str
    finalists: tuple[int, ...]
    seeds: tuple[int, ...]
    trials: int | None
    shrinkage: Mapping[str, float] | None
    tuning: Mapping[str, float] | None
    competed_on: int = 0


def read_selection(folder: StudyFolder) -> Selection | None:
    """None where no winner was chosen.

    Raises:
        UserError: the file is unreadable.
    """
    try:
        content: dict[str, Any] = json.loads(folder.selection.read_text(encoding="utf-8"))
        return Selection(
            winner=int(content["winner"]),
            rule=str(content["rule"]),
            finalists=tuple(int(each["number"]) for each in content["finalists"]),
            seeds=tuple(int(seed) for seed in content["seeds"]),
            trials=None if content.get("trials") is None else int(content["trials"]),
            shrinkage=content.get("shrinkage"),
            tuning=content.get("tuning"),
            competed_on=max((len(each.get("seeds", ())) for each in content["finalists"]), default=0),
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"cannot read {folder.selection}: {error}; repeat the search, which writes it anew") from None

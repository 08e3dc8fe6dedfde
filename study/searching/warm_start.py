"""Beginning a search with what an earlier one found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sea_core.config import Config
from sea_core.errors import UserError
from study.records.study import load_study
from study.searching.space import Space, contains

TAKEN = 5  # of the earlier study's best trials


def warm_start(study: Path, space: Space, model: str = Config.model) -> list[dict[str, Any]]:
    """Parameters of an earlier study's best trials, as far as this space has them; the sampler completes the rest.

    Args:
        study: folder of the earlier study.
        space: of the new one.
        model: of the new one.

    Raises:
        UserError: no study there, it is of another model, or none of its best trials fits the space.
    """
    earlier = load_study(study)
    theirs = Config.model if earlier.spec is None else earlier.spec.config.get("model", Config.model)
    if theirs != model:
        raise UserError(
            f"--warm-start {study} is a study of model '{theirs}', this one is of '{model}': what was good there says "
            "nothing here; name a study of the same model"
        )
    best = [trial for trial in earlier.ranked_trials if trial.duplicate_of is None][:TAKEN]
    fitting = [
        {name: value for name, value in trial.params.items() if name in space and contains(space[name], value)}
        for trial in best
    ]
    distinct = [params for index, params in enumerate(fitting) if params and params not in fitting[:index]]
    if not distinct:
        raise UserError(f"{study} has no complete trial with parameters of this search space ({', '.join(space)})")
    return distinct

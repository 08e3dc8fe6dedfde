"""Beginning a search with what earlier ones found, on this dataset or on others."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution

from sea_core.config import Config
from sea_core.errors import UserError
from study.records.study import RunRecord, Study, load_study
from study.searching.space import Space, contains

TAKEN = 5  # trials, however many studies there are
_NEAREST = 3  # trials that tell what another study would have made of a candidate


class WarmStart(NamedTuple):
    """What was taken over.

    Attributes:
        trials: parameters, the most promising first; the sampler completes them.
        notes: what of each study could be used and what not, a line each.
    """

    trials: list[dict[str, Any]]
    notes: list[str]


def warm_start(studies: Sequence[Path], space: Space, model: str = Config.model) -> WarmStart:
    """Parameters of earlier studies' best trials, as far as this space has them.

    Every study offers its best five. They are ordered by their rank averaged over studies, as shares of a study's
    trials: in a candidate's own study its rank there, in another the mean rank of the three trials that are nearest to
    it. Scores of different datasets cannot be compared; ranks can. Five are taken in all.

    Args:
        studies: folders of the earlier studies.
        space: of the new one.
        model: of the new one.

    Raises:
        UserError: no study there or a damaged one, it is of another model, or none of its trials fits the space.
    """
    sources = [(path, _open(path, model)) for path in studies]
    offers = [_offer(path, study, space) for path, study in sources]
    candidates = [(place, rank, params) for place, (mine, _) in enumerate(offers) for rank, params in mine]
    others = [_ranked(study) for _, study in sources]
    means = [
        statistics.fmean(
            own if place == where else _rank_there(params, trials, space) for where, trials in enumerate(others)
        )
        for place, own, params in candidates
    ]
    order = sorted(range(len(candidates)), key=lambda n: means[n])
    chosen: list[dict[str, Any]] = []
    for n in order:
        params = candidates[n][2]
        if params not in chosen and len(chosen) < TAKEN:
            chosen.append(params)
    notes = []
    for (path, _), (mine, lacking) in zip(sources, offers, strict=True):
        taken = sum(params in chosen for _, params in mine)
        notes.append(f"warm start from {path.name}: {taken} of its best {len(mine)} trials are taken over{lacking}")
    return WarmStart(chosen, notes)


def _open(path: Path, model: str) -> Study:
    study = load_study(path)
    theirs = Config.model if study.spec is None else study.spec.config.get("model", Config.model)
    if theirs != model:
        raise UserError(
            f"--warm-start {path} is a study of model '{theirs}', this one is of '{model}': what was good there says "
            "nothing here; name a study of the same model"
        )
    return study


def _offer(path: Path, study: Study, space: Space) -> tuple[list[tuple[float, dict[str, Any]]], str]:
    """The study's best trials, each with its rank and what of it lies in the space; and what does not."""
    ranked = _ranked(study)[:TAKEN]
    offers: list[tuple[float, dict[str, Any]]] = []
    outside: dict[str, str] = {}
    for rank, trial in ranked:
        params = trial.params
        fits = {name: value for name, value in params.items() if name in space and contains(space[name], value)}
        outside |= {name: f"{name} {params[name]} (outside its range here)" for name in params if name not in fits}
        if fits and fits not in [offered for _, offered in offers]:
            offers.append((rank, fits))
    unknown = [name for name in outside if name not in space]
    lacking = [outside[name] for name in outside if name in space]
    lacking += [f"{name} (not searched here)" for name in unknown]
    if not offers:
        why = f": it has {', '.join(lacking)}" if lacking else ""
        raise UserError(f"{path} has no complete trial with parameters of this search space ({', '.join(space)}){why}")
    untold = [name for name in space if not any(name in params for _, params in offers)]
    parts = [f"without {', '.join(lacking)}"] if lacking else []
    parts += [f"it says nothing of {', '.join(untold)}"] if untold else []
    return offers, f"; {'; '.join(parts)}" if parts else ""


def _ranked(study: Study) -> list[tuple[float, RunRecord]]:
    """Complete trials, best first, each with the share of trials above it."""
    trials = [trial for trial in study.ranked_trials if trial.duplicate_of is None]
    return [(place / len(trials), trial) for place, trial in enumerate(trials)]


def _rank_there(params: Mapping[str, Any], trials: Sequence[tuple[float, RunRecord]], space: Space) -> float:
    """What rank another study would have given these parameters, by its trials that are nearest."""
    if not trials:
        return 0.5
    distances = np.array([_distance(params, _values(trial), space) for _, trial in trials])
    nearest = np.argsort(distances, kind="stable")[:_NEAREST]
    return float(np.mean([trials[n][0] for n in nearest]))


def _values(trial: RunRecord) -> Mapping[str, Any]:
    """All of a trial's settings: what one study searches another may have fixed."""
    return {**trial.record.get("config", {}), **trial.params}


def _distance(one: Mapping[str, Any], other: Mapping[str, Any], space: Space) -> float:
    """Mean difference over the parameters that both have, each as a share of its range."""
    parts = [_apart(space[name], one[name], other[name]) for name in one if name in other]
    return statistics.fmean(parts) if parts else 1.0


def _apart(distribution: BaseDistribution, one: Any, other: Any) -> float:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other))
    if isinstance(distribution, CategoricalDistribution) or not numbers:
        return float(one != other)
    low, high = distribution.low, distribution.high  # type: ignore[attr-defined]
    if distribution.log:  # type: ignore[attr-defined]
        if min(one, other) <= 0:
            return 1.0
        low, high, one, other = (float(np.log(value)) for value in (low, high, one, other))
    return min(1.0, abs(one - other) / (high - low)) if high > low else 0.0

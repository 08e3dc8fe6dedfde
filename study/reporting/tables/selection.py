"""How the winner was chosen, and what choosing cost: search score against fresh seeds, and whether luck chose."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from study.analysis.stats.shrinkage import winners_shrinkage
from study.analysis.stats.stability import selection_stability
from study.records.study import RunRecord, Study
from study.reporting.tables.results import Results
from study.reporting.tables.table import Cell, Number, Table


class Place(NamedTuple):
    """A trial among the others of its search, over validation users drawn with replacement; NaN if unknown.

    Attributes:
        win_share: share of the draws in which it is the best trial.
        rank_low, rank_high: 2.5 % and 97.5 % quantiles of its rank; 1 is best.
    """

    win_share: float
    rank_low: float
    rank_high: float


NOWHERE = Place(np.nan, np.nan, np.nan)


def compute(results: Results) -> Table | None:
    """One row per finalist, best on fresh seeds first, and the winner's own fresh runs. None without them."""
    lines = [line for study in results.studies for line in _lines(study)]
    if not lines:
        return None
    columns = ["study", "trial", "role", "search", "fresh", "sd", "shrinkage", "low", "high", "seeds"]
    frame = pd.DataFrame(lines, columns=columns)
    stable = {study.name: stability_of_search(study) for study in results.studies}
    places = [stable[study].get(trial, NOWHERE) for study, trial, *_ in lines]
    frame = frame.join(pd.DataFrame(places, columns=NOWHERE._fields))
    rows: list[list[Cell]] = []
    for place, (study, trial, role, search, fresh, sd, shrinkage, low, high, seeds) in zip(places, lines, strict=True):
        interval = None if np.isnan(low) else (low, high)
        spread = None if np.isnan(sd) else sd
        cells = (Number(search), Number(fresh, sd=spread), Number(shrinkage, interval=interval, signed=True))
        label = f"{results.prefix(study)}trial {trial}, {role}"
        rows.append([label, *cells, str(seeds), *_place_cells(place)])
    return Table(
        name="selection",
        caption="Selection on validation: the score that a trial had in the search, its mean ± sd on fresh seeds, and "
        "the difference with its 95 % interval: what the search flattered. Finalists compete on other seeds than those "
        "the winner is reported on. Best again: how often the trial would have the best score of the search if other "
        "users had been drawn; rank: its 95 % range then. Other seeds would change more.",
        columns=["Config", "Search", "Fresh seeds", "Shrinkage", "Seeds", "Best again", "Rank"],
        rows=rows,
        rules=[n for n in range(1, len(lines)) if lines[n][0] != lines[n - 1][0]],
        frame=frame,
        runs=[_runs(results, *line[:3]) for line in lines],
    )


def stability_of_search(study: Study) -> dict[int, Place]:
    """Number of each complete trial -> its place if the validation users were drawn again.

    Duplicates have an earlier trial's values and can never win, so they are left out. Empty with fewer than two trials.
    """
    metric = str(study.identity.get("metric", "recall@20"))
    trials = [run for run in study.trials if run.state == "complete" and run.duplicate_of is None]
    judged = {run.number: run.validation.values[metric] for run in trials if run.validation and run.number is not None}
    if len(judged) < 2:
        return {}
    values = np.stack([np.asarray(per_user, dtype=np.float64) for per_user in judged.values()])
    found = selection_stability(values, rng=np.random.default_rng(0))
    places = zip(found.win_share, found.rank_low, found.rank_high, strict=True)
    return {number: Place(*map(float, place)) for number, place in zip(judged, places, strict=True)}


def _place_cells(place: Place) -> list[Cell]:
    if np.isnan(place.win_share):
        return ["–", "–"]
    return [Number(100 * place.win_share, decimals=0, unit=" %"), f"{place.rank_low:g} to {place.rank_high:g}"]


def _lines(study: Study) -> list[tuple]:  # type: ignore[type-arg]
    searched = {trial.number: trial.value for trial in study.trials}
    lines = []
    for role, runs in (("finalist", study.finalists), ("winner", study.winner)):
        found = []
        for number in dict.fromkeys(run.number for run in runs):
            value = searched.get(number)
            scores = [_score(run) for run in runs if run.number == number and run.state == "complete"]
            if value is not None and scores:
                cost = winners_shrinkage(value, np.array(scores))
                numbers = (value, cost.fresh, cost.seed_sd, cost.shrinkage, cost.low, cost.high, cost.seeds)
                found.append((study.name, number, role, *numbers))
        lines += sorted(found, key=lambda line: (-line[4], line[1]))
    return lines


def _runs(results: Results, name: str, trial: int, role: str) -> list[RunRecord]:
    """The trial of the search, and its runs on fresh seeds."""
    study = next(study for study in results.studies if study.name == name)
    fresh = study.winner if role == "winner" else study.finalists
    return [run for run in (*study.trials, *fresh) if run.number == trial]


def _score(run: RunRecord) -> float:
    """Validation score by the metric that selects."""
    return float(run.record["validation"][run.config.valid_metric])

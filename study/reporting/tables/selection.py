"""How the winner was chosen, and what choosing cost: search score against fresh seeds, and whether luck chose."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from study.analysis.plausible_best import best_finalists
from study.analysis.results import Results
from study.analysis.stats.shrinkage import ControlledShrinkage, controlled_shrinkage, winners_shrinkage
from study.analysis.stats.stability import selection_stability
from study.records.study import RunRecord, Study
from study.reporting.tables.registry import register_table
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


class Shrinkage(NamedTuple):
    """What a trial's score of the search became on fresh seeds.

    Attributes:
        role: ``finalist``, ``winner``, or ``control``: a trial that was not selected.
        search: value of the trial.
        fresh, sd: mean and sd over ``seeds`` fresh seeds.
        shrinkage: ``search - fresh``, with its 95 % interval.
    """

    study: str
    trial: int
    role: str
    search: float
    fresh: float
    sd: float
    shrinkage: float
    low: float
    high: float
    seeds: int


NOWHERE = Place(np.nan, np.nan, np.nan)


@register_table("selection", place=60)
def compute(results: Results) -> Table | None:
    """One row per finalist, best on fresh seeds first, and the winner's own fresh runs. None without them."""
    lines = [line for study in results.studies for line in shrinkages(study)]
    if not lines:
        return None
    frame = pd.DataFrame(lines, columns=list(Shrinkage._fields))
    stable = {study.name: stability_of_search(study) for study in results.studies}
    places = [stable[line.study].get(line.trial, NOWHERE) for line in lines]
    frame = frame.join(pd.DataFrame(places, columns=NOWHERE._fields))
    rows: list[list[Cell]] = []
    for place, line in zip(places, lines, strict=True):
        interval = None if np.isnan(line.low) else (line.low, line.high)
        fresh = Number(line.fresh, sd=None if np.isnan(line.sd) else line.sd)
        cells = (Number(line.search), fresh, Number(line.shrinkage, interval=interval, signed=True))
        label = f"{results.prefix(line.study)}trial {line.trial}, {line.role}"
        rows.append([label, *cells, str(line.seeds), *_place_cells(place)])
    return Table(
        name="selection",
        caption="Selection on validation: the score that a trial had in the search, its mean ± sd on fresh seeds, and "
        "the difference with its 95 % interval: what the search flattered. Finalists compete on other seeds than those "
        "the winner is reported on. Best again: how often the trial would have the best score of the search if other "
        "users had been drawn; rank: its 95 % range then. Other seeds would change more.",
        columns=["Config", "Search", "Fresh seeds", "Shrinkage", "Seeds", "Best again", "Rank"],
        rows=rows,
        rules=[n for n in range(1, len(lines)) if lines[n].study != lines[n - 1].study],
        frame=frame,
        greys=[n for n, line in enumerate(lines) if line.role == "control"],
        notes=[f"{results.prefix(study.name)}{note}" for study in results.studies for note in _notes(study)],
        runs=[_runs(results.named(line.study), line) for line in lines],
    )


def beyond_a_lucky_seed(study: Study) -> ControlledShrinkage | None:
    """The winner's shrinkage beyond that of the controls; None without a winner or a control."""
    lines = shrinkages(study)
    winner = next((line for line in lines if line.role == "winner"), None)
    controls = np.array([line.shrinkage for line in lines if line.role == "control"])
    if winner is None or not len(controls):
        return None
    fresh = [_score(run) for run in study.winner if run.number == winner.trial and run.state == "complete"]
    return controlled_shrinkage(winners_shrinkage(winner.search, np.array(fresh)), controls)


def _notes(study: Study) -> list[str]:
    """What the controls say, and which finalists may be the best."""
    notes = []
    if (curse := beyond_a_lucky_seed(study)) is not None:
        interval = "" if np.isnan(curse.low) else f" [{curse.low:+.4f}, {curse.high:+.4f}]"
        notes.append(
            f"{curse.controls} trial{'' if curse.controls == 1 else 's'} that nobody selected lost {curse.control:.4f} "
            f"on the same fresh seeds; the winner lost {curse.excess:+.4f}{interval} beyond that"
        )
    if (best := best_finalists(study)) is not None:
        listed = ", ".join(map(str, best.inside))
        notes.append(
            f"Finalists that may be the best, by a model confidence set over {best.users} users and {best.seeds} seeds "
            f"(95 %): trial{'' if len(best.inside) == 1 else 's'} {listed}"
        )
    return notes


def stability_of_search(study: Study) -> dict[int, Place]:
    """Number of each complete trial -> its place if the validation users were drawn again.

    Duplicates have an earlier trial's values and can never win, so they are left out. Empty with fewer than two trials,
    and where trials were judged on different users: then nobody can be drawn for all of them.
    """
    metric = study.metric
    trials = [run for run in study.trials if run.state == "complete" and run.duplicate_of is None]
    judged = {run.number: run.validation.values[metric] for run in trials if run.validation and run.number is not None}
    if len(judged) < 2:
        return {}
    users = [run.validation.users for run in trials if run.validation and run.number is not None]
    if not all(np.array_equal(each, users[0]) for each in users):
        return {}
    values = np.stack([np.asarray(per_user, dtype=np.float64) for per_user in judged.values()])
    stability = selection_stability(values, rng=np.random.default_rng(0))
    places = zip(stability.win_share, stability.rank_low, stability.rank_high, strict=True)
    return {number: Place(*map(float, place)) for number, place in zip(judged, places, strict=True)}


def _place_cells(place: Place) -> list[Cell]:
    if np.isnan(place.win_share):
        return ["–", "–"]
    return [Number(100 * place.win_share, decimals=0, unit=" %"), f"{place.rank_low:g} to {place.rank_high:g}"]


def shrinkages(study: Study) -> list[Shrinkage]:
    """Finalists, best on fresh seeds first, then the winner's own fresh runs."""
    searched = {trial.number: trial.value for trial in study.trials}
    lines: list[Shrinkage] = []
    for role, runs in (("finalist", study.finalists), ("winner", study.winner), ("control", study.controls)):
        of_role = []
        for number in dict.fromkeys(run.number for run in runs):
            value = searched.get(number)
            scores = [_score(run) for run in runs if run.number == number and run.state == "complete"]
            if number is not None and value is not None and scores:
                cost = winners_shrinkage(value, np.array(scores))
                numbers = (value, cost.fresh, cost.seed_sd, cost.shrinkage, cost.low, cost.high, cost.seeds)
                of_role.append(Shrinkage(study.name, number, role, *numbers))
        lines += sorted(of_role, key=lambda line: (-line.fresh, line.trial))
    return lines


def _runs(study: Study, line: Shrinkage) -> list[RunRecord]:
    """The trial of the search, and its runs on fresh seeds."""
    fresh = {"winner": study.winner, "control": study.controls}.get(line.role, study.finalists)
    return [run for run in (*study.trials, *fresh) if run.number == line.trial]


def _score(run: RunRecord) -> float:
    """Validation score by the metric that selects."""
    return float(run.record["validation"][run.config.valid_metric])

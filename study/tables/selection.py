"""How the winner was chosen, and what choosing cost: search score against fresh seeds (the winner's curse)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from study.records import RunRecord, Study
from study.stats.shrinkage import winners_shrinkage
from study.tables.results import Results
from study.tables.table import Cell, Number, Table


def compute(results: Results) -> Table | None:
    """One row per finalist, best on fresh seeds first, and the winner's own fresh runs. None without them."""
    lines = [line for study in results.studies for line in _lines(study)]
    if not lines:
        return None
    columns = ["study", "trial", "role", "search", "fresh", "sd", "shrinkage", "low", "high", "seeds"]
    frame = pd.DataFrame(lines, columns=columns)
    rows: list[list[Cell]] = []
    for study, trial, role, search, fresh, sd, shrinkage, low, high, seeds in lines:
        interval = None if np.isnan(low) else (low, high)
        spread = None if np.isnan(sd) else sd
        cells = (Number(search), Number(fresh, sd=spread), Number(shrinkage, interval=interval, signed=True))
        rows.append([f"{results.prefix(study)}trial {trial}, {role}", *cells, str(seeds)])
    return Table(
        name="selection",
        caption="Selection on validation: the score that a trial had in the search, its mean ± sd on fresh seeds, and "
        "the difference with its 95 % interval: what the search flattered. Finalists compete on other seeds than those "
        "the winner is reported on.",
        columns=["Config", "Search", "Fresh seeds", "Shrinkage", "Seeds"],
        rows=rows,
        rules=[n for n in range(1, len(lines)) if lines[n][0] != lines[n - 1][0]],
        frame=frame,
        runs=[_runs(results, *line[:3]) for line in lines],
    )


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

"""What a search was worth: expected validation performance by budget, and what twice the trials would bring."""

from __future__ import annotations

import pandas as pd

from study.analysis.results import Results
from study.analysis.search_value import LEARNING, SearchValue, search_values
from study.records.arm_names import FULL
from study.records.study import RunRecord, Study
from study.reporting.tables.registry import register_table
from study.reporting.tables.table import Cell, Number, Table

PARTS = (0.25, 0.5, 1.0)  # of the trials
COLUMNS = ("study", "dataset", "search", "sampler", "trials", "epochs", "full_runs", "expected", "low", "high")


@register_table("search-value", place=65)
def compute(results: Results) -> Table | None:
    """A row a search; the CSV has the whole curves. None without two complete trials."""
    rows: list[list[Cell]] = []
    runs: list[list[RunRecord]] = []
    curves: list[pd.DataFrame] = []
    starts: list[int] = []
    learning = False
    for study in results.studies:
        starts.append(len(rows))
        for value in search_values(results, study):
            rows.append([f"{results.prefix(study.name)}{search_title(study, value.arm)}", *_cells(value)])
            runs.append((study if value.arm == FULL else study.arm_searches[value.arm]).complete_trials)
            curves.append(_curve(study, value))
            learning |= value.sampler in LEARNING
    if not rows:
        return None
    return Table(
        name="search-value",
        caption="Expected validation performance: the best value that a search of so many complete trials would have "
        "found, on average over which trials they are (Dodge et al. 2019), with its 95 % range. A full run is as long "
        "as that of the base configuration; pruned and failed trials are part of the cost. Twice: what as many trials "
        "again would add to the best, extrapolated from the better half; in brackets the 95 % upper bound.",
        columns=["Search", "Trials", "Full runs", *(f"Best of {100 * part:.0f} %" for part in PARTS), "Best", "Twice"],
        rows=rows,
        rules=starts[1:],
        frame=pd.concat(curves, ignore_index=True),
        notes=_notes(learning=learning),
        runs=runs,
    )


def search_title(study: Study, arm: str) -> str:
    """``SEA``, or the title of a re-tuned arm."""
    if arm == FULL:
        return study.model_title
    return next((run.title for run in study.runs(arm=arm)), arm)


def _cells(value: SearchValue) -> list[Cell]:
    curve = value.curve
    places = [max(1, round(part * len(curve.trials))) - 1 for part in PARTS]
    expected: list[Cell] = [
        Number(float(curve.expected[n]), interval=(float(curve.low[n]), float(curve.high[n]))) for n in places
    ]
    twice: Cell = "–" if value.more is None else f"+{value.more.expected:.4f} [0, +{value.more.high:.4f}]"
    cost = Number(float(value.full_runs[-1]), decimals=1)
    return [str(len(curve.trials)), cost, *expected, Number(value.best), twice]


def _curve(study: Study, value: SearchValue) -> pd.DataFrame:
    curve = value.curve
    columns = {
        "study": study.name,
        "dataset": study.dataset,
        "search": value.arm,
        "sampler": value.sampler,
        "trials": curve.trials,
        "epochs": curve.trials * value.epochs,
        "full_runs": value.full_runs,
        "expected": curve.expected,
        "low": curve.low,
        "high": curve.high,
    }
    return pd.DataFrame(columns)[list(COLUMNS)]


def _notes(*, learning: bool) -> list[str]:
    notes = [
        "Both numbers assume independent draws. Near all trials the curve is too low, as nothing better than the best "
        "trial can be drawn."
    ]
    if learning:
        notes.append(
            "These trials are no independent draws: a sampler that learns proposes better ones later, and the first "
            "trials were set. So a short search of this kind would have found less than the left of the curve says."
        )
    return notes

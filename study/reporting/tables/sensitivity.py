"""What the search saw of each parameter: trials and scores over its range, and how much it mattered."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from sea_core.errors import UserError
from study.analysis.comparisons import stars
from study.analysis.results import Results
from study.records.study import RunRecord, Study
from study.reporting.tables.registry import register_table
from study.reporting.tables.table import Cell, Number, Table, mark_best
from study.searching.importance import study_importances

BINS = 4  # a searched parameter with more values than this is shown by quartiles of its trials
_CHOSEN = "The search chose these values and other parameters moved along: read it as a map, not as an experiment."
_ENUMERATED = "A grid has each value equally often, beside all values of the others; one seed each."


@register_table("sensitivity", place=70)
def compute(results: Results) -> Table | None:
    """Per study and parameter, the complete trials' scores by value. None without a search."""
    by_study = [part for study in results.studies if (part := _of_study(results, study)) is not None]
    if not by_study:
        return None
    frame = pd.concat([part for part, _ in by_study], ignore_index=True)
    lines = frame.to_dict("records")
    groups = [(line["study"], line["parameter"]) for line in lines]
    starts = [n for n in range(len(lines)) if n == 0 or groups[n] != groups[n - 1]]
    rows: list[list[Cell]] = []
    for n, line in enumerate(lines):
        label = f"{results.prefix(line['study'])}{line['parameter']}"
        rows.append([*_labels(line, label, first=n in starts), *_numbers(line)])
    for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        rows[start:end] = mark_best(rows, among=range(start, end))[start:end]
    return Table(
        name="sensitivity",
        caption="Validation scores of complete trials over each parameter's range (its values, or quartiles of the "
        "trials), mean ± sd and best; PED-ANOVA importance (in brackets what 95 % of shuffled "
        "searches stay below; stars by Holm's correction over the parameters). "
        + (_ENUMERATED if all(_is_grid(study) for study in results.studies) else _CHOSEN),
        columns=["Parameter", "Importance", "Values", "Trials", "Mean", "Best"],
        rows=rows,
        rules=starts[1:],
        frame=frame,
        follows=[n for n in range(len(rows)) if n not in starts],
        runs=[runs for _, parts in by_study for runs in parts],
    )


def _of_study(results: Results, study: Study) -> tuple[pd.DataFrame, list[list[RunRecord]]] | None:
    """The lines of a study's parameters, and the trials behind each."""
    trials = [trial for trial in study.trials if trial.state == "complete" and trial.duplicate_of is None]
    trials = [trial for trial in trials if trial.value is not None]
    names = list(dict.fromkeys(name for trial in trials for name in trial.params))
    if not names:
        return None
    known = _importances(results, study)
    most = len(trials) if _is_grid(study) else BINS
    bins = [(name, entry, chosen) for name in names for entry, chosen in _by_value(trials, name, most)]
    lines = [
        {"study": study.name, "dataset": study.dataset, "parameter": name, **known.get(name, {}), **entry}
        for name, entry, _ in bins
    ]
    columns = ["study", "dataset", "parameter", "importance", "importance_chance", "importance_p"]
    frame = pd.DataFrame(lines, columns=[*columns, "values", "trials", "mean", "sd", "best"])
    return frame, [chosen for _, _, chosen in bins]


def _is_grid(study: Study) -> bool:
    return study.spec is not None and study.spec.sampler == "grid"


def _by_value(trials: list[RunRecord], name: str, most: int) -> list[tuple[dict[str, Any], list[RunRecord]]]:
    """Scores and trials by value, or by quartile of the trials where there are more than ``most`` values."""
    scores = pd.Series([trial.value for trial in trials], dtype=np.float64)
    values = pd.Series([trial.params.get(name) for trial in trials], dtype=object)
    distinct = list(dict.fromkeys(values.map(_show)))
    numeric = all(isinstance(value, Real) and not isinstance(value, bool) for value in values)
    if numeric and len(distinct) > most:
        numbers = values.astype(float)
        quartile = pd.qcut(numbers.rank(method="first"), BINS, labels=False)
        parts = [numbers[quartile == n] for n in range(BINS)]
        labelled = [(" to ".join(dict.fromkeys((_show(part.min()), _show(part.max())))), part.index) for part in parts]
    else:
        order = sorted(distinct, key=float) if numeric else sorted(distinct)
        labelled = [(label, values.index[values.map(_show) == label]) for label in order]
    return [(_scores(label, scores[index]), [trials[n] for n in index]) for label, index in labelled]


def _scores(label: str, part: pd.Series) -> dict[str, Any]:
    return {"values": label, "trials": len(part), "mean": part.mean(), "sd": part.std(), "best": part.max()}


def _importances(results: Results, study: Study) -> dict[str, dict[str, float]]:
    """Importance of each parameter with what chance gives, where there are trials enough to say."""
    try:
        importances = study_importances(results, study)
    except UserError:
        return {}
    keys = ("importance", "importance_chance", "importance_p")
    numbers = zip(importances.importance, importances.chance, importances.p_holm, strict=True)
    return {
        name: dict(zip(keys, map(float, each), strict=True))
        for name, each in zip(importances.names, numbers, strict=True)
    }


def _labels(line: Mapping[Hashable, Any], label: str, *, first: bool) -> list[str]:
    shown = f"{line['importance']:.2f}{stars(line['importance_p'])} ({line['importance_chance']:.2f})"
    importance = "–" if pd.isna(line["importance"]) else shown
    return [*((label, importance) if first else ("", "")), line["values"], str(line["trials"])]


def _numbers(line: Mapping[Hashable, Any]) -> list[Number]:
    return [Number(line["mean"], sd=None if pd.isna(line["sd"]) else line["sd"]), Number(line["best"])]


def _show(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)

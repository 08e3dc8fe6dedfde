"""Models side by side, each tuned by a search of its own: a table of joint results."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from study.analysis.metrics import metric_title
from study.analysis.model_comparisons import NOTE, compare_models, reference_study, winners_by_dataset
from study.analysis.results import Results
from study.analysis.stats.comparison import Comparison
from study.records.study import RunRecord, Study
from study.reporting.tables.budgets import search_cost
from study.reporting.tables.registry import register_table
from study.reporting.tables.table import Cell, Number, Table, mark_best
from study.reporting.tables.unconverged import mark_of, note_of

COLUMNS = ["dataset", "model", "study", "metric", "mean", "sd", "seeds", "reference", "paired_seeds"]
COMPARED = ["difference", "relative", "low", "high"]

Place = tuple[str, str, str]  # dataset, model, metric


@register_table("models", place=15)
def compute(results: Results) -> Table | None:
    """A row per model with its test results, and below it the paired difference to the reference model's.

    None unless a dataset was searched for several models.
    """
    datasets = winners_by_dataset(results.studies)
    if not datasets:
        return None
    metrics = results.metrics
    studies = {(dataset, _row_name(study, inside)): study for dataset, inside in datasets.items() for study in inside}
    references = {dataset: reference_study(inside) for dataset, inside in datasets.items()}
    against = {(line.dataset, line.arm, line.metric): line for line in compare_models(list(studies.values()), metrics)}
    names = list(dict.fromkeys(name for _, name in studies))
    title = _title(references.values())
    first = [name for (dataset, name), study in studies.items() if study is references[dataset]]
    names.sort(key=lambda name: name not in first)  # the reference on top, the others as they were given
    columns = [(dataset, metric) for dataset in datasets for metric in metrics]
    values = {(d, n, m): _value(study, m) for (d, n), study in studies.items() for m in metrics}
    differences = {
        (d, n, m): line
        for (d, n), study in studies.items()
        for m in metrics
        if (line := against.get((d, study.name, m))) is not None
    }

    rows: list[list[Cell]] = []
    runs: list[Sequence[RunRecord]] = []
    for name in names:
        behind = [run for (_, each), study in studies.items() if each == name for run in study.winner]
        rows.append([f"{name}{mark_of(behind)}", *(_cell(values.get((d, name, m))) for d, m in columns)])
        runs.append(behind)
        cells = [_difference(differences.get((d, name, m))) for d, m in columns]
        if any(isinstance(cell, Number) for cell in cells):
            rows.append([f"Δ to {title}", *cells])
            runs.append([])
    models = [n for n, row in enumerate(rows) if runs[n]]
    gains = _gains(values, differences, columns)
    marked = mark_best(rows, among=models)
    if gains:
        marked.append([f"{title} against the best other", *(_difference(gains.get(column)) for column in columns)])
        runs.append([])
    return Table(
        name="models",
        caption="Models, each tuned by a search of its own: test results, mean ± sd over fresh seeds, and the paired "
        f"difference to {title} with its 95 % interval over users and seeds, by itself. Best in bold, second "
        f"underlined. The last row turns the best other model's difference round: what {title} gains over it.",
        columns=["Model", *[metric_title(metric) for _, metric in columns]],
        groups=[(dataset, len(metrics)) for dataset in datasets],
        rows=marked,
        rules=[n for n in models if n] + ([len(rows)] if gains else []),
        frame=_frame(studies, values, differences, metrics),
        follows=[n for n in range(len(rows)) if n not in models],
        runs=runs,
        notes=[f"{NOTE[0].upper()}{NOTE[1:]}.", *_costs(datasets), *note_of(rows)],
    )


def _row_name(study: Study, inside: Sequence[Study]) -> str:
    """The model's title; several studies of one model on a dataset are told apart by their names."""
    several = sum(each.model_title == study.model_title for each in inside) > 1
    return f"{study.model_title} ({study.name})" if several else study.model_title


def _value(study: Study, metric: str) -> tuple[float, float, int]:
    """Mean and sd over seeds, and their number."""
    means = [run.test.means()[metric] for run in study.winner if run.test is not None]
    sd = float(np.std(means, ddof=1)) if len(means) > 1 else math.nan
    return float(np.mean(means)) if means else math.nan, sd, len(means)


def _cell(value: tuple[float, float, int] | None) -> Cell:
    if value is None or math.isnan(value[0]):
        return "–"
    return Number(value[0], sd=None if math.isnan(value[1]) else value[1])


def _difference(line: Comparison | None) -> Cell:
    if line is None or math.isnan(line.difference):
        return "–"
    return Number(line.difference, interval=None if math.isnan(line.low) else (line.low, line.high), signed=True)


def _gains(
    values: Mapping[Place, tuple[float, float, int]],
    differences: Mapping[Place, Comparison],
    columns: Sequence[tuple[str, str]],
) -> dict[tuple[str, str], Comparison]:
    """Dataset and metric -> the reference against the best other model, the sign turned round."""
    gains = {}
    for dataset, metric in columns:
        others = [(values[key][0], line) for key, line in differences.items() if (key[0], key[2]) == (dataset, metric)]
        if others:
            line = max(others, key=lambda other: other[0])[1]
            gains[dataset, metric] = line._replace(difference=-line.difference, low=-line.high, high=-line.low)
    return gains


def _title(references: Iterable[Study]) -> str:
    titles = list(dict.fromkeys(study.model_title for study in references))
    return titles[0] if len(titles) == 1 else "the reference model"


def _costs(datasets: Mapping[str, Sequence[Study]]) -> list[str]:
    """What each search of a dataset cost; the ledger has the rest."""
    return [
        f"Searches on {dataset}: {'; '.join(f'{_row_name(study, inside)} {search_cost(study)}' for study in inside)}."
        for dataset, inside in datasets.items()
    ]


def _frame(
    studies: Mapping[tuple[str, str], Study],
    values: Mapping[Place, tuple[float, float, int]],
    differences: Mapping[Place, Comparison],
    metrics: Sequence[str],
) -> pd.DataFrame:
    lines = []
    for (dataset, name), study in studies.items():
        for metric in metrics:
            line = differences.get((dataset, name, metric))
            paired = (None, None) if line is None else (line.reference, line.seeds)
            compared = [None if line is None else getattr(line, column) for column in COMPARED]
            lines.append([dataset, name, study.name, metric, *values[dataset, name, metric], *paired, *compared])
    frame = pd.DataFrame(lines, columns=[*COLUMNS, *COMPARED])
    return frame.astype({"paired_seeds": "Int64"})

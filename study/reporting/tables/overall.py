"""The main table: methods as rows, datasets x metrics as columns, with what was published marked as such."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sea_core.errors import UserError
from study.analysis.comparisons import stars
from study.analysis.measurements import (
    BASELINE_TITLES,
    Measurement,
    default_title,
    imported_notes,
    imported_title,
    spread_by,
    tuned_title,
)
from study.analysis.metrics import metric_title
from study.analysis.results import Results
from study.records.study import RunRecord, Study
from study.reporting.tables.registry import register_table
from study.reporting.tables.table import Cell, Number, Table, mark_best
from study.reporting.tables.unconverged import mark_of, note_of

PUBLISHED = Path(__file__).parents[1] / "published.csv"
_STARS = " Stars: p < .05, .01, .001 against the best other one, adjusted over all metrics and baselines."
_PUBLISHED_ORDER, _BASELINE_ORDER, _IMPORTED_ORDER, _DEFAULT_ORDER, _WINNER_ORDER = range(5)


_ORDERS = {"imported": _IMPORTED_ORDER, "default": _DEFAULT_ORDER, "winner": _WINNER_ORDER}


class Line(NamedTuple):
    """A method's result on one dataset by one metric; ``order`` says who quoted or measured it."""

    dataset: str
    method: str
    order: int
    metric: str
    mean: float
    sd: float
    seeds: int | None
    source: str


@register_table("overall", place=10)
def compute(results: Results, published: Path = PUBLISHED) -> Table | None:
    """Compare every winner with the baselines measured here and with published results of the same datasets.

    Only rows that were measured here compete for best and second; published ones are quoted. None without a result.

    Raises:
        UserError: ``published`` is unreadable.
    """
    measured = [line for line in results.measured if line.kind not in ("arm", "placebo")]
    if all(line.kind == "imported" for line in measured):
        return None
    datasets, metrics = list(dict.fromkeys(line.dataset for line in measured)), results.metrics
    lines = [*_quoted(published, datasets), *_summarised(measured)]
    # A published model and ours are two methods of one name.
    methods = sorted(dict.fromkeys((line.order, line.method) for line in lines), key=lambda method: method[0])
    values = {(line.order, line.method, line.dataset, line.metric): line for line in lines}

    rows: list[list[Cell]] = []
    runs: list[Sequence[RunRecord]] = []
    for order, method in methods:
        cells = [_cell(values.get((order, method, dataset, metric))) for dataset in datasets for metric in metrics]
        runs.append(_runs(results, method, order))
        mark = " †" if order == _PUBLISHED_ORDER else mark_of(runs[-1])
        rows.append([f"{method}{mark}", *cells])
    orders = [order for order, _ in methods]
    here = [index for index, order in enumerate(orders) if order != _PUBLISHED_ORDER]
    kinds = [min(order, _DEFAULT_ORDER) for order in orders]  # rows that were tuned stand with their defaults
    rules = [index for index in range(1, len(kinds)) if kinds[index] != kinds[index - 1]]
    ours = [index for index, order in enumerate(orders) if order == _WINNER_ORDER]
    marked = mark_best(rows, among=here)
    follows: list[int] = []
    columns = [(dataset, metric) for dataset in datasets for metric in metrics]
    baselines = {index: methods[index][1] for index in here if orders[index] in (_BASELINE_ORDER, _IMPORTED_ORDER)}
    default = {index: methods[index][1] for index in here if orders[index] == _DEFAULT_ORDER}
    for label, others, p in (
        ("Improv. %", baselines, _corrected(results)),
        ("Tuning %", default, _tuning(results)),
    ):
        if len(ours) == 1 and others:
            if not follows:
                rules.append(len(rows))
            follows.append(len(marked))  # our row is the last one
            runs.append(())
            marked.append(_improvement(label, rows, ours[0], others, p, columns))

    quoted = _PUBLISHED_ORDER in orders
    return Table(
        name="overall",
        caption="Test results: full ranking, mean over users" + _seed_words(measured, results) + ". "
        "Best in bold, second underlined, among the methods measured here." + (_STARS if follows else ""),
        columns=["Method", *[metric_title(metric) for _ in datasets for metric in metrics]],
        groups=[(dataset, len(metrics)) for dataset in datasets],
        rows=marked,
        rules=rules,
        frame=_to_frame(lines),
        follows=follows,
        runs=runs,
        notes=[
            *(["† Published elsewhere and quoted; not measured here and not compared."] if quoted else []),
            *[note for study in results.studies for note in imported_notes(study)],
            *note_of(rows),
        ],
    )


def _summarised(measured: Sequence[Measurement]) -> list[Line]:
    """Mean and sd over seeds of each method; several studies of one model on a dataset get a row each."""
    ours: dict[tuple[str, str], set[str]] = {}
    for line in measured:
        if line.kind in _ORDERS:
            ours.setdefault((line.dataset, line.title), set()).add(line.study)
    # Baselines have no seed, and studies of one dataset give them the same values.
    distinct: dict[tuple[str, str, int, str, int | None], float] = {}
    for line in measured:
        order = _ORDERS.get(line.kind, _BASELINE_ORDER)
        several = line.kind in _ORDERS and len(ours[line.dataset, line.title]) > 1
        method = f"{line.title} ({line.study})" if several else line.title
        distinct.setdefault((line.dataset, method, order, line.metric, line.seed), line.value)
    spreads = spread_by([(key[:4], value) for key, value in distinct.items()])
    sources = {_IMPORTED_ORDER: "imported"}
    return [Line(*key, *spread, sources.get(key[2], "measured here")) for key, spread in spreads.items()]


def _runs(results: Results, method: str, order: int) -> list[RunRecord]:
    """The records behind a method's row; none behind a quoted one."""
    if order == _BASELINE_ORDER:
        baselines = [run for study in results.studies for run in study.baselines]
        return [run for run in baselines if BASELINE_TITLES.get(str(run.baseline), str(run.baseline)) == method]
    if order == _IMPORTED_ORDER:
        imported = [run for study in results.studies for run in study.imported]
        return [run for run in imported if method.startswith(imported_title(run))]
    if order in (_DEFAULT_ORDER, _WINNER_ORDER):
        title, runs_of = (default_title, _default) if order == _DEFAULT_ORDER else (tuned_title, _winner)
        shown = [(study.dataset, title(study)) for study in results.studies if runs_of(study)]
        alone = [
            study
            for study in results.studies
            if title(study) == method and shown.count((study.dataset, title(study))) == 1
        ]
        named = [study for study in results.studies if method == f"{title(study)} ({study.name})"]
        return [run for study in named or alone for run in runs_of(study)]
    return []


def _default(study: Study) -> list[RunRecord]:
    return study.default


def _winner(study: Study) -> list[RunRecord]:
    return study.winner


def _quoted(path: Path, datasets: Sequence[str]) -> list[Line]:
    """Published results on these datasets, metric by metric."""
    try:
        published = pd.read_csv(path)
        wide = published[published["dataset"].isin(datasets)]
        long = wide.melt(id_vars=["dataset", "model", "source"], var_name="metric", value_name="mean")
        long["mean"] = long["mean"].astype(float)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"cannot read {path}: {' '.join(str(error).split())}; expected columns dataset, model, metrics, source"
        ) from None
    rows = long[["dataset", "model", "metric", "mean", "source"]].itertuples(index=False)
    return [
        Line(dataset, model, _PUBLISHED_ORDER, metric, float(mean), math.nan, None, source)
        for dataset, model, metric, mean, source in rows
    ]


def _to_frame(lines: Sequence[Line]) -> pd.DataFrame:
    frame = pd.DataFrame(lines, columns=list(Line._fields)).drop(columns="order")
    frame["seeds"] = frame["seeds"].astype("Int64")  # whole numbers also beside what was quoted without one
    return frame


def _cell(line: Line | None) -> Cell:
    if line is None or math.isnan(line.mean):
        return "–"
    return Number(line.mean, sd=None if math.isnan(line.sd) else line.sd)


def _improvement(
    label: str,
    rows: Sequence[Sequence[Cell]],
    ours: int,
    others: Mapping[int, str],
    p_adjusted: Mapping[tuple[str, str, str], float],
    columns: Sequence[tuple[str, str]],
) -> list[Cell]:
    """The winner against the best of some other methods measured here, in percent of the latter."""
    cells: list[Cell] = [label]
    for column, (dataset, metric) in enumerate(columns, start=1):
        mine = rows[ours][column]
        measured = {row: cell.value for row in others if isinstance(cell := rows[row][column], Number)}
        best = max(measured, key=lambda row: measured[row], default=None)
        if best is None or measured[best] <= 0 or not isinstance(mine, Number):
            cells.append("–")
            continue
        p = p_adjusted.get((dataset, others[best], metric), math.nan)
        share = 100 * (mine.value / measured[best] - 1)
        cells.append(Number(share, decimals=2, signed=True, stars=stars(p)))
    return cells


def _corrected(results: Results) -> dict[tuple[str, str, str], float]:
    """Dataset, title of the baseline or imported row and metric -> corrected p of the winner against it."""
    return {
        (line.dataset, BASELINE_TITLES.get(line.reference, line.reference), line.metric): line.p_adjusted
        for line in results.baselines
    } | {(line.dataset, results.titles[line.arm], line.metric): line.p_adjusted for line in results.imported}


def _tuning(results: Results) -> dict[tuple[str, str, str], float]:
    """Dataset, title of the default and metric -> corrected p of the tuned winner against it."""
    return {(line.dataset, line.reference, line.metric): line.p_adjusted for line in results.tuning}


def _seed_words(measured: Sequence[Measurement], results: Results) -> str:
    seeds: dict[str, set[int | None]] = {}
    for line in measured:
        if line.kind == "winner":
            seeds.setdefault(line.study, set()).add(line.seed)
    if not seeds:
        return ""
    low, high = min(map(len, seeds.values())), max(map(len, seeds.values()))
    models = ", ".join(dict.fromkeys(results.named(name).model_title for name in seeds))
    count = f"{low if low == high else f'{low} to {high}'} fresh seed{'' if high == 1 else 's'}"
    return f"; {models}: mean ± sd over {count}"

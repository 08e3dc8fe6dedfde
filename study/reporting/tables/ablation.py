"""Ablation tables: arms as rows, datasets x metrics as columns, and below each arm its difference to full."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandas as pd

from study.analysis.comparisons import stars
from study.analysis.measurements import Spread, imported_name, imported_notes, spread_by
from study.analysis.metrics import metric_title
from study.analysis.results import Results
from study.analysis.stats.comparison import Comparison
from study.records.arm_names import FULL, in_order
from study.records.study import RunRecord, Study
from study.reporting.tables.registry import register_table
from study.reporting.tables.table import Cell, Number, Table, mark_best
from study.reporting.tables.unconverged import mark_of, note_of

COMPARED = ("difference", "relative", "low", "high", "p", "p_adjusted", "effect_size", "family", "gate", "verdict")
ABLATIONS = ("ablation", "ablation-retuned")  # names of the tables of this file
_DELTA = "Δ to full"
_PLACEBO_NOTE = (
    "Placebos are copies of the full model on seeds of their own: what a difference of nothing looks like here."
)
CSV_COLUMNS = ("study", "dataset", "mode", "name", "metric", "mean", "sd", "seeds", "paired_seeds", *COMPARED)


class ArmLine(NamedTuple):
    """An arm by one metric: over its seeds, and against full; None where no seed is common."""

    study: str
    dataset: str
    mode: str
    name: str
    metric: str
    spread: Spread
    compared: Comparison | None


@register_table("ablation", place=20)
def compute_frozen(results: Results) -> Table | None:
    """Every arm with the full model's tuned config."""
    return _compute(results, "frozen", "Ablation with the full model's configuration (frozen)", ABLATIONS[0])


@register_table("ablation-retuned", place=30)
def compute_retuned(results: Results) -> Table | None:
    """Every arm with a search of its own, of equal budget."""
    title = "Ablation, every arm tuned by a search of its own (re-tuned)"
    several = any(row.searches > 1 for row in results.arms)
    return _compute(results, "retuned", title, ABLATIONS[1], over="searches and seeds" if several else "seeds")


def _compute(results: Results, mode: str, title: str, name: str, *, over: str = "seeds") -> Table | None:
    summarised = _summarise(results, mode)
    if not summarised:
        return None
    placebos = _summarise(results, "placebo") if mode == "frozen" else []
    ran = [study for study in results.studies if any(run.mode == mode for run in study.ablations)]
    cells = {(line.study, line.name, line.metric): line for line in summarised}
    columns = [(study.name, metric) for study in ran for metric in results.metrics]
    tried = {(study.name, str(run.arm)) for study in ran for run in study.runs(mode=mode)}
    rows: list[list[Cell]] = []
    runs: list[list[RunRecord]] = []
    verdicts_of: list[set[str]] = []
    for arm in in_order(arm for _, arm in tried):
        values = [_value(cells.get((study, arm, metric)), tried=(study, arm) in tried) for study, metric in columns]
        runs.append([run for study in ran for run in study.runs(arm=arm, mode=mode)])
        rows.append([f"{results.titles[arm]}{mark_of(runs[-1])}", *values])
        differences = [_difference(cells.get((study, arm, metric))) for study, metric in columns]
        verdicts_of.append(set())
        if any(isinstance(cell, Number) for cell in differences):
            rows.append([_DELTA, *differences])
            runs.append([])
            compared = [line.compared for line in summarised if line.name == arm and line.compared is not None]
            verdicts_of.append({each.verdict for each in compared})
    for theirs in _imported_names(ran, mode):
        rows.append([results.titles[theirs], *(_value(cells.get((s, theirs, m)), tried=False) for s, m in columns)])
        runs.append([run for study in ran for run in study.imported if imported_name(run) == theirs])
        rows.append([_DELTA, *(_difference(cells.get((study, theirs, metric))) for study, metric in columns)])
        runs.append([])
        verdicts_of += [set(), set()]
    arms = [index for index, row in enumerate(rows) if row[0] != _DELTA]
    greys = [index for index, verdicts in enumerate(verdicts_of) if verdicts == {"descriptive"}]
    rules = arms[1:]
    for title_of_copy, value_cells, difference_cells, records in _placebo_rows(results, placebos, columns):
        rules.append(len(rows))
        greys += [len(rows), len(rows) + 1]
        rows += [[title_of_copy, *value_cells], [_DELTA, *difference_cells]]
        runs += [records, []]
    ambiguous = len({study.dataset for study in ran}) < len(ran)
    return Table(
        name=name,
        caption=f"{title}: test results, mean ± sd over {over}, and the paired difference to full with its 95 % "
        "interval over users and seeds. Stars: better or worse at .05, .01, .001, adjusted for all verdicts together. "
        "Grey: no verdict.",
        columns=["Arm", *[metric_title(metric) for _, metric in columns]],
        groups=[(study.name if ambiguous else study.dataset, len(results.metrics)) for study in ran],
        rows=mark_best(rows, among=arms),
        rules=rules,
        frame=pd.DataFrame(map(_csv_line, [*summarised, *placebos]), columns=list(CSV_COLUMNS)),
        notes=[*_notes(ran, mode), *note_of(rows), *([_PLACEBO_NOTE] if placebos else [])],
        follows=[index for index, row in enumerate(rows) if row[0] == _DELTA],
        greys=greys,
        runs=runs,
    )


def _placebo_rows(
    results: Results, summarised: Sequence[ArmLine], columns: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, list[Cell], list[Cell], list[RunRecord]]]:
    """Title, values, differences and runs of each copy of the full model."""
    cells = {(line.study, line.name, line.metric): line for line in summarised}
    for copy in dict.fromkeys(line.name for line in summarised):
        values = [_value(cells.get((study, copy, metric)), tried=False) for study, metric in columns]
        differences = [_difference(cells.get((study, copy, metric))) for study, metric in columns]
        records = [run for study in results.studies for run in study.placebos if run.arm == copy]
        yield results.titles[copy], values, differences, records


def _summarise(results: Results, mode: str) -> list[ArmLine]:
    """Mean, sd and number of seeds of every arm and metric, beside its comparison with full."""
    names = _imported_names(results.studies, mode)
    measured = [line for line in results.measured if line.mode == mode or line.name in names]
    if not any(line.kind in ("arm", "placebo") for line in measured):
        return []
    spreads = spread_by([((line.study, line.dataset, line.name, line.metric), line.value) for line in measured])
    family = results.placebos if mode == "placebo" else results.arms
    lines = [*(line for line in family if line.mode == mode), *(x for x in results.imported if x.arm in names)]
    compared = {(line.study, line.arm, line.metric): line for line in lines}
    return [
        ArmLine(study, dataset, mode, name, metric, spread, compared.get((study, name, metric)))
        for (study, dataset, name, metric), spread in spreads.items()
    ]


def _imported_names(studies: Sequence[Study], mode: str) -> list[str]:
    """Results of programs elsewhere stand beside frozen arms: nobody here re-tuned them."""
    return list(dict.fromkeys(imported_name(run) for s in studies for run in s.imported)) if mode == "frozen" else []


def _csv_line(line: ArmLine) -> tuple[object, ...]:
    compared = line.compared
    paired = (
        (None,) * (1 + len(COMPARED))
        if compared is None
        else (compared.seeds, *(getattr(compared, n) for n in COMPARED))
    )
    return (line.study, line.dataset, line.mode, line.name, line.metric, *line.spread, *paired)


def _value(line: ArmLine | None, *, tried: bool) -> Cell:
    if line is None:
        return "failed" if tried else "–"  # not every arm applies to every dataset
    mean, sd, _ = line.spread
    return Number(
        mean, sd=None if math.isnan(sd) else sd, stars="" if line.compared is None else stars(line.compared.p_adjusted)
    )


def _difference(line: ArmLine | None) -> Cell:
    compared = None if line is None else line.compared
    if compared is None or math.isnan(compared.difference):
        return "–"
    interval = None if math.isnan(compared.low) else (compared.low, compared.high)
    return Number(compared.difference, interval=interval, signed=True)


def _notes(studies: Sequence[Study], mode: str) -> list[str]:
    """What a reader must know before believing the table."""
    notes = [note for study in studies for note in (imported_notes(study) if mode == "frozen" else [])]
    for study in studies:
        prefix = f"{study.name}: " if len(studies) > 1 else ""
        runs = study.runs(mode=mode)
        alone = study.question.extra_seeds if study.question is not None else ()
        full = {run.seed: run.weights_hash for run in runs if run.arm == FULL and run.seed not in alone}
        for arm in dict.fromkeys(str(run.arm) for run in runs):
            mine = [run for run in runs if run.arm == arm]
            failed = [run for run in mine if run.state == "failed"]
            if failed:
                why = (failed[0].failure or {}).get("message", "no reason recorded")
                notes.append(f"{prefix}{arm} failed on {len(failed)} of {len(mine)} seeds: {why}")
            if arm != FULL and all(run.weights_hash and run.weights_hash == full.get(run.seed) for run in mine):
                notes.append(f"{prefix}{arm} trained to the same weights as full; what it changes has no effect here")
            mine_on = {run.seed for run in mine}
            if full and arm != FULL and mine_on != full.keys():
                count = f"{len(mine_on)} seed{'' if len(mine_on) == 1 else 's'}"
                common = len(mine_on & full.keys())
                notes.append(
                    f"{prefix}{arm} ran on {count}, full on {len(full)}; compared are the {common} that both have"
                )
        if len(full) == 1:
            notes.append(f"{prefix}one seed only, so no interval and no p-value; pass --fresh-seeds 3 or more")
    return notes

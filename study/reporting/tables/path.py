"""The ablation path: from the base configuration to the winner, what each change brought on test."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from study.analysis.comparisons import WHOLE, runs_on_path, stars
from study.analysis.measurements import default_title
from study.analysis.metrics import metric_title
from study.analysis.results import Results
from study.analysis.stats.comparison import Comparison
from study.analysis.stats.paired import PairedDifference, paired_difference
from study.records.path import AblationPath, PathStep
from study.records.study import RunRecord, Study
from study.reporting.tables.registry import register_table
from study.reporting.tables.statistics import p_text, verdict_notes, verdict_text
from study.reporting.tables.table import Cell, Number, Table
from study.reporting.tables.unconverged import mark_of, note_of

PATH = "path"  # name of the table of this file
COMPARED = ("difference", "relative", "low", "high", "p", "p_adjusted", "verdict")


class Second(NamedTuple):
    """The change that was nearly taken: its difference to the one taken, on validation."""

    key: str
    difference: PairedDifference


@register_table(PATH, place=50)
def compute(results: Results) -> Table | None:
    """A row a configuration, by the metric that chose the path; the CSV has the others too. None without a path."""
    walked = [(study, study.path) for study in results.studies if study.path is not None]
    if not walked:
        return None
    rows: list[list[Cell]] = []
    runs: list[list[RunRecord]] = []
    lines: list[dict[str, object]] = []
    starts = []
    for study, path in walked:
        starts.append(len(rows))
        part = _of_study(results, study, path)
        rows += part[0]
        runs += part[1]
        lines += part[2]
    return Table(
        name=PATH,
        caption="Path from the base configuration to the winner, one change a row: test result (mean ± sd over seeds) "
        "and the paired difference to the row above with its 95 % interval over users and seeds. The order was chosen "
        "on validation and on other seeds. Next best: the change that came second there, and how far behind.",
        columns=["Change", "Test", "Δ to the row above", "Adjusted p", "Verdict", "Next best"],
        rows=rows,
        rules=starts[1:],
        frame=pd.DataFrame(lines),
        notes=[*_notes(results, walked), *note_of(rows)],
        runs=runs,
    )


def runner_up(step: PathStep) -> Second | None:
    """The second of a step's candidates; None where there was no choice."""
    taken = step.values.get(step.key)
    others = {key: mine for key, mine in step.values.items() if key != step.key}
    if taken is None or not others:
        return None
    finished = {key: [value for value in mine if value is not None] for key, mine in others.items()}
    key = max(others, key=lambda name: (len(finished[name]), statistics.fmean(finished[name] or [0.0])))
    pairs = [(a, b) for a, b in zip(others[key], taken, strict=False) if a is not None and b is not None]
    if not pairs:
        return None
    return Second(key, paired_difference(np.array([a - b for a, b in pairs], dtype=np.float64)))


def _of_study(
    results: Results, study: Study, path: AblationPath
) -> tuple[list[list[Cell]], list[list[RunRecord]], list[dict[str, object]]]:
    compared = {(line.arm, line.metric): line for line in results.path if line.study == study.name}
    names = [default_title(study), *(f"step {n}: {step.change}" for n, step in enumerate(path.steps, start=1)), WHOLE]
    steps: list[PathStep | None] = [None, *path.steps, None]
    hashes = [*path.configs, path.end]
    rows, runs, lines = [], [], []
    shown = path.metric if path.metric in results.metrics else results.metrics[0]
    for name, step, config_hash in zip(names, steps, hashes, strict=True):
        mine = [] if name == WHOLE else list(runs_on_path(study, config_hash).values())
        mine = [run for run in mine if run.seed in path.seeds]
        second = None if step is None else runner_up(step)
        title = f"{results.prefix(study.name)}{name}{mark_of(mine)}"
        rows.append([title, _level(mine, shown), *_compared(compared.get((name, shown))), _second(second, step)])
        runs.append(mine)
        for metric in results.metrics:
            line = compared.get((name, metric))
            entry = {field: None if line is None else getattr(line, field) for field in COMPARED}
            known = {"study": study.name, "dataset": study.dataset, "name": name, "metric": metric}
            values = _values(mine, metric)
            spread = {"mean": statistics.fmean(values) if values else None, "seeds": len(values)}
            which = {"parameter": step.key, "before": step.before, "after": step.after} if step else {}
            near = {} if second is None else {"next_best": second.key, "next_best_difference": second.difference.mean}
            lines.append({**known, **which, **spread, **entry, **near})
    return rows, runs, lines


def _shown(results: Results, path: AblationPath) -> str:
    return path.metric if path.metric in results.metrics else results.metrics[0]


def _values(runs: Sequence[RunRecord], metric: str) -> list[float]:
    return [run.test.means()[metric] for run in runs if run.test is not None]


def _level(runs: Sequence[RunRecord], metric: str) -> Cell:
    values = _values(runs, metric)
    if not values:
        return "–"
    return Number(statistics.fmean(values), sd=statistics.stdev(values) if len(values) > 1 else None)


def _compared(line: Comparison | None) -> list[Cell]:
    if line is None:
        return ["–", "–", "–"]
    interval = None if math.isnan(line.low) else (line.low, line.high)
    difference = Number(line.difference, interval=interval, signed=True, stars=stars(line.p_adjusted))
    return [difference, p_text(line.p_adjusted), "–" if line.arm == WHOLE else verdict_text(line)]


def _second(second: Second | None, step: PathStep | None) -> Cell:
    if second is None:
        return "–" if step is None else "no choice"
    gap = second.difference
    bounds = "" if math.isnan(gap.low) else f" [{gap.low:+.4f}, {gap.high:+.4f}]"
    return f"{second.key} {gap.mean:+.4f}{bounds}".replace("-", "−")


def _notes(results: Results, walked: Sequence[tuple[Study, AblationPath]]) -> list[str]:
    shown = {(study.name, _shown(results, path)) for study, path in walked}
    notes = verdict_notes([line for line in results.path if line.arm != WHOLE and (line.study, line.metric) in shown])
    for study, path in walked:
        prefix = results.prefix(study.name)
        metric, seeds = metric_title(_shown(results, path)), len(path.choice_seeds)
        how = {"once": "once, at the first step", "race": "step by step, as a race"}.get(path.choose, "step by step")
        notes.append(
            f"{prefix}Shown is {metric}; the order was chosen {how}, on {seeds} seed{'' if seeds == 1 else 's'} of its "
            f"own; the steps were tested on {len(path.seeds)}. A change's effect depends on those before it: along "
            "another order it may be another."
        )
        close = [step.key for step in path.steps if (second := runner_up(step)) and not second.difference.high < 0]
        if close:
            notes.append(
                f"{prefix}At {', '.join(close)} validation does not tell the change that was taken from the next best."
            )
        if path.unread:
            notes.append(f"{prefix}Without effect, as nothing reads them: {', '.join(path.unread)}")
        if path.chosen_again:
            notes.append(f"{prefix}The order was chosen anew after steps had been tested ({path.chosen_again} times)")
    return notes

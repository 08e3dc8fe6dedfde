"""What each search chose: parameters as rows, studies as columns."""

from __future__ import annotations

from typing import Any

import pandas as pd

from study.analysis.results import Results
from study.records.study import RunRecord, Study
from study.reporting.tables.registry import register_table
from study.reporting.tables.table import Table


@register_table("best-configs", place=110)
def compute(results: Results) -> Table | None:
    """The winner's searched parameters, or those of the best trial where no winner was made. None without a search."""
    chosen = [(study, best) for study in results.studies if (best := _chosen(study)) is not None]
    if not chosen:
        return None
    parameters = list(dict.fromkeys(name for _, best in chosen for name in best.params))
    lines = [
        (study.name, study.dataset, best.number, name, best.params[name])
        for study, best in chosen
        for name in parameters
        if name in best.params
    ]
    rows = [["dataset", *[study.dataset for study, _ in chosen]]]
    rows += [[name, *[_show(best.params.get(name, "–")) for _, best in chosen]] for name in parameters]
    rows += [["trial", *[str(best.number) for _, best in chosen]]]
    rows += [["validation value", *[_show(best.value) for _, best in chosen]]]
    return Table(
        name="best-configs",
        caption="Hyper-parameters that each search chose on validation, and the value of the trial that found them.",
        columns=["Parameter", *[study.name for study, _ in chosen]],
        rows=rows,
        rules=[1, 1 + len(parameters)],
        runs=[[best for _, best in chosen] if row[0] == "trial" else [] for row in rows],
        frame=pd.DataFrame(lines, columns=["study", "dataset", "trial", "parameter", "value"], dtype=object),
    )


def _chosen(study: Study) -> RunRecord | None:
    """The trial whose config won; finalists on fresh seeds may have preferred another than the best trial."""
    trials = {trial.number: trial for trial in study.trials}
    if study.winner and study.winner[0].number in trials:
        return trials[study.winner[0].number]
    return study.best_trial


def _show(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)

"""From a computed table to what the page shows of it: cells with sort keys, and the runs behind every row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from study.analysis.metrics import metric_title
from study.records.study import RunRecord, Study
from study.reporting.page.links import file_links, run_link
from study.reporting.page.page import Block, Cell, HtmlTable, Row, Source
from study.reporting.tables.render import cell_parts
from study.reporting.tables.table import Number, Table

TITLES = {
    "overall": "Against baselines",
    "models": "Models, each tuned",
    "ablation": "Ablation",
    "ablation-retuned": "Ablation, every arm re-tuned",
    "statistics": "Every comparison",
    "factorial": "CLUB × Solosim",
    "across": "Over datasets",
    "diagnostics": "What separation does",
    "separation": "What separation does, against the full model",
    "recovery": "Planted factors recovered",
    "selection": "How the winner was chosen",
    "search-value": "What the search was worth",
    "path": "From the default to the winner",
    "sensitivity": "Hyper-parameters",
    "best-configs": "Chosen configuration",
    "budgets": "Budgets",
    "costs": "Costs",
    "trials": "Trials",
}


def html_table(table: Table, *, page_folder: Path, files: Path) -> HtmlTable:
    """Lay out a table.

    Args:
        table: as ``study.reporting.tables`` computed it.
        page_folder: links are relative to it.
        files: where the table's CSV, Markdown and LaTeX are, if anywhere.
    """
    runs = table.runs or [()] * len(table.rows)
    datasets = [""] * (len(table.columns) - sum(count for _, count in table.groups))
    datasets += [title for title, count in table.groups for _ in range(count)]
    columns = list(zip(table.columns, datasets, strict=True))[1:]
    blocks: list[Block] = []
    for index, (cells, behind) in enumerate(zip(table.rows, runs, strict=True)):
        row = _row([_cell(cell) for cell in cells], behind, columns, page_folder)
        row = row._replace(grey=index in table.greys)
        if index in table.follows and blocks:
            blocks[-1] = blocks[-1]._replace(rows=[*blocks[-1].rows, row])
        else:
            blocks.append(Block([row], ruled=index in table.rules and index > 0))
    return HtmlTable(
        name=table.name,
        title=TITLES.get(table.name, table.name),
        caption=table.caption,
        groups=table.groups if len(table.groups) > 1 else [],  # the page says already what it is about
        columns=table.columns,
        blocks=blocks,
        notes=table.notes,
        files=file_links(table.name, ("csv", "md", "tex"), files, page_folder),
    )


def trials_table(study: Study) -> Table | None:
    """Every trial of the search with its parameters; None without a search."""
    import pandas as pd

    if not study.trials:
        return None
    names = list(dict.fromkeys([*study.space, *(n for run in study.trials for n in run.params)]))
    rows = [_trial(run, names) for run in study.trials]
    return Table(
        name="trials",
        caption="All trials of the search. A complete trial's value is the watched validation metric at its best "
        "epoch; a pruned one keeps its last report.",
        columns=["Trial", "State", "Value", "Best epoch", *names],
        rows=rows,
        frame=pd.DataFrame(),  # the CSV of the trials is the summary's
        runs=[[run] for run in study.trials],
        notes=[f"trial {run.number} failed: {run.failure['message']}" for run in study.trials if run.failure],
    )


def _trial(run: RunRecord, names: Sequence[str]) -> list[Number | str]:
    value = "–" if run.value is None else Number(run.value)
    state = run.state if run.duplicate_of is None else f"{run.state}, as trial {run.duplicate_of}"
    best = "–" if run.best_epoch is None else str(run.best_epoch)
    return [str(run.number), state, value, best, *(short(run.params.get(name)) for name in names)]


def short(value: object) -> str:
    """A parameter's value, four digits of a float."""
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _row(
    cells: Sequence[Cell], runs: Sequence[RunRecord], columns: Sequence[tuple[str, str]], page_folder: Path
) -> Row:
    """A row; runs get a line of their own where the columns are metrics, so that a mean stands above its values."""
    if len(runs) == 1 and cells[0].value:
        return Row(cells, run_link(runs[0], page_folder).href, [], [])
    tested = [(run, _values(run, columns)) for run in runs]
    if any(any(values) for _, values in tested):
        return Row(cells, "", [Source(run_link(run, page_folder), values) for run, values in tested], [])
    return Row(cells, "", [], [run_link(run, page_folder) for run in runs])


def _values(run: RunRecord, columns: Sequence[tuple[str, str]]) -> list[str]:
    """The run's own test value of every column that is a metric on its dataset; empty elsewhere."""
    means = {} if run.test is None else {metric_title(name): value for name, value in run.test.means().items()}
    # A group is a dataset, or a study where a dataset has several.
    here = {"", run.dataset, *(part.name for part in run.folder.parents)}
    return [f"{means[title]:.4f}" if title in means and group in here else "" for title, group in columns]


def _cell(cell: Number | str) -> Cell:
    parts = cell_parts(cell)
    if isinstance(cell, str):
        return Cell(*parts, rank=0, key=_key(parts.value))
    return Cell(*parts, rank=cell.rank, key="" if math.isnan(cell.value) else repr(float(cell.value)))


def _key(text: str) -> str:
    """Numbers written as text sort as numbers, ``< .001`` below them all, and a dash last."""
    if text == "–":
        return ""
    below = text.startswith("< ")
    try:
        number = float(text.removeprefix("< "))
    except ValueError:
        return text.lower()
    return repr(math.nextafter(number, -math.inf) if below else number)

"""Everything the page says, from studies and pictures: pure data, nothing rendered, nothing written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sea_core.models.registry import find_model, keys_read, model_names
from study.analysis.results import Results
from study.records.durations import duration
from study.records.study import Study
from study.reporting.page.answer import answer
from study.reporting.page.cautions import cautions
from study.reporting.page.facts import configs, provenance_facts
from study.reporting.page.html_tables import html_table, trials_table
from study.reporting.page.links import href, tables_folder
from study.reporting.page.page import Caution, Details, Link, Page, Picture
from study.reporting.page.question import question
from study.reporting.tables.table import Table

REPORT = "report.html"
# The one picture beside the answer: the first that there is, of arms, then of a search alone.
KEY_FIGURES = ("ablation", "forest", "critical_difference")
SEARCH_FIGURES = ("heat_map", "sweeps", "sensitivities", "sensitivity")
KEY_TABLES = ("models", "ablation", "overall")
SEARCH_TABLES = ("sensitivity",)  # of a search alone
BACKGROUND = (
    "SEA splits every item modality into a generic and a unique part. Solosim pulls the generic parts of the "
    "modalities together, CLUB pushes generic and unique part of one modality apart."
)


def compute(results: Results, tables: Sequence[Table], pictures: Sequence[Picture], page_folder: Path) -> Page:
    """What the page of one study holds, or the joint page of several.

    Args:
        results: of the studies, in the order of the tables' columns.
        tables: computed from these results.
        pictures: figures, in the order of the page.
        page_folder: where the page will lie; its links are relative to it.

    Raises:
        UserError: a file of a run is damaged.
    """
    studies = results.studies
    files = tables_folder(studies, page_folder)
    shown = [html_table(table, page_folder=page_folder, files=files) for table in tables]
    many = len(studies) > 1
    warned = [
        Caution(f"{study.name}: {title}" if many else title, text)
        for study in studies
        for title, text in cautions(study, results)
    ]
    names = [picture.name for picture in pictures]
    first = next((name for name in (*KEY_FIGURES, *SEARCH_FIGURES) if name in names), None)
    key_tables = _keys([table.name for table in shown], KEY_TABLES, SEARCH_TABLES)
    return Page(
        title=studies[0].name if not many else f"{len(studies)} studies",
        question=question(studies),
        background=BACKGROUND if any(_separates(study) for study in studies) else "",
        summary=" · ".join(_summary(study, many=many) for study in studies),
        answers=[answer(study, results) for study in studies],
        cautions=warned,
        key_figure=next((picture for picture in pictures if picture.name == first), None),
        key_tables=[table for name in key_tables for table in shown if table.name == name],
        figures=[picture for picture in pictures if picture.name != first],
        tables=[table for table in shown if table.name not in key_tables],
        details=[_details(study, page_folder) for study in studies],
        pages=[Link(study.name, href(study.folder.root / REPORT, page_folder)) for study in studies] if many else [],
    )


def _separates(study: Study) -> bool:
    """Whether its model, or an arm's, has the parts that the background explains."""
    models = {
        study.model,
        *(str((run.record.get("config") or {}).get("model", study.model)) for run in study.ablations),
    }
    return any("split_ratio" in keys_read(find_model(model)) for model in models if model in model_names())


def _keys(names: Sequence[str], wanted: Sequence[str], otherwise: Sequence[str]) -> list[str]:
    """Those of the wanted names that there are, in that order; without any, the first of the others."""
    return [name for name in wanted if name in names] or [name for name in otherwise if name in names][:1]


def _summary(study: Study, *, many: bool) -> str:
    """Sizes of a study, in one line."""
    counts = [
        (len(study.trials), "trial"),
        (len({run.seed for run in study.winner or study.ablations}), "fresh seed"),
        (len({(run.mode, run.arm) for run in study.ablations}), "arm"),
    ]
    words = [f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts if count]
    spent = duration(sum(run.seconds for run in study.all_records() if "copied_from" not in run.record))
    return f"{study.name + ': ' if many else ''}{', '.join(words)}, {spent} of training"


def _details(study: Study, page_folder: Path) -> Details:
    trials = trials_table(study)
    shown = None if trials is None else html_table(trials, page_folder=page_folder, files=study.folder.tables)
    return Details(study.name, study.dataset, shown, configs(study), provenance_facts(study))

"""Everything the page says, from studies and pictures: pure data, nothing rendered, nothing written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from study.progress import duration
from study.records import Study
from study.report.answer import answer
from study.report.cautions import cautions
from study.report.facts import configs, provenance_facts
from study.report.links import href, tables_folder
from study.report.page import Caution, Details, Link, Page, Picture
from study.report.shown_tables import show_table, trials_table
from study.tables.results import Results
from study.tables.write import compute_tables

REPORT = "report.html"
KEY_FIGURES = ("ablation", "forest", "critical_difference")
KEY_TABLES = ("ablation", "overall")
BACKGROUND = (
    "SEA splits every item modality into a generic and a unique part. Solosim pulls the generic parts of the "
    "modalities together, CLUB pushes generic and unique part of one modality apart."
)


def compute(studies: Sequence[Study], pictures: Sequence[Picture], page_folder: Path) -> Page:
    """What the page of one study holds, or the joint page of several.

    Args:
        studies: in the order of the tables' columns.
        pictures: figures, in the order of the page.
        page_folder: where the page will lie; its links are relative to it.

    Raises:
        UserError: results that may not stand side by side, or without their receipts.
    """
    results = Results(studies)
    files = tables_folder(list(studies), page_folder)
    tables = [show_table(table, page_folder=page_folder, files=files) for table in compute_tables(results)]
    datasets = list(dict.fromkeys(study.dataset for study in studies))
    many = len(studies) > 1
    warned = [
        Caution(f"{study.name}: {title}" if many else title, text)
        for study in studies
        for title, text in cautions(study, results)
    ]
    return Page(
        title=studies[0].name if not many else f"{len(studies)} studies",
        question=_question(studies, datasets),
        background=BACKGROUND,
        summary=" · ".join(_summary(study, many=many) for study in studies),
        answers=[answer(study, results) for study in studies],
        cautions=warned,
        key_figures=[picture for picture in pictures if picture.name in KEY_FIGURES],
        key_tables=sorted(
            (table for table in tables if table.name in KEY_TABLES), key=lambda table: KEY_TABLES.index(table.name)
        ),
        figures=[picture for picture in pictures if picture.name not in KEY_FIGURES],
        tables=[table for table in tables if table.name not in KEY_TABLES],
        details=[_details(study, page_folder) for study in studies],
        pages=[Link(study.name, href(study.folder.root / REPORT, page_folder)) for study in studies] if many else [],
    )


def _question(studies: Sequence[Study], datasets: Sequence[str]) -> str:
    where = datasets[0] if len(datasets) == 1 else f"{', '.join(datasets[:-1])} and {datasets[-1]}"
    if any(study.ablations for study in studies):
        return f"Do CLUB and Solosim matter on {where}, and how sure are we?"
    if any(study.winner for study in studies):
        return f"How good is SEA on {where}, and how sure are we?"
    return f"Which hyper-parameters does SEA want on {where}?"


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
    shown = None if trials is None else show_table(trials, page_folder=page_folder, files=study.folder.tables)
    return Details(study.name, study.dataset, shown, configs(study), provenance_facts(study))

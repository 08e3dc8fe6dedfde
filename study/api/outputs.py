"""All that is written of finished studies: tables, figures and report, if anything is new."""

from __future__ import annotations

from pathlib import Path

from study.analysis.results import Results
from study.records.drawn import Shown, mark_drawn, shown_before
from study.reporting.page.write import write_report
from study.reporting.tables.ablation import ABLATIONS
from study.reporting.tables.path import PATH
from study.reporting.tables.render import to_text
from study.reporting.tables.write import compute_tables, write_tables
from study.running.events import Emit, Note, StageBegun, silent

SHOWN = ("overall", *ABLATIONS, PATH)  # the tables that programs print


def write_outputs(results: Results, out: Path, *, emit: Emit = silent) -> dict[str, Shown]:
    """Write tables, figures and report into ``out``, unless records, code and outputs are as after the last call.

    Args:
        results: of one study, or of several together.
        out: the study's folder, or one for several; created if missing.
        emit: told of stages and of each table.

    Returns:
        The tables that a terminal shows, by name.

    Raises:
        UserError: arms that were tested on different users, a damaged file of a run, or an unwritable folder.
    """
    studies = [study.folder for study in results.studies]
    shown = shown_before(out, studies, results.metrics)
    if shown is not None:
        emit(Note("nothing is new: tables, figures and report stay as they are"))
        return shown
    # Matplotlib takes a second to import, which a finished study need not wait for.
    from plots.lib import pictures
    from plots.lib.draw_all import FILES

    emit(StageBegun("tables"))
    tables = compute_tables(results)
    written = write_tables(tables, out / "tables", emit=emit)
    emit(StageBegun("figures"))
    draw = pictures.study_pictures if len(studies) == 1 else pictures.joint_pictures
    drawn = draw(results, out / "figures")
    emit(StageBegun("report"))
    page = write_report(results, tables, drawn, out)
    figures = [out / "figures" / f"{picture.name}.{suffix}" for picture in drawn for suffix in FILES]
    shown = {table.name: Shown(table.caption, to_text(table)) for table in tables if table.name in SHOWN}
    mark_drawn(out, studies, results.metrics, shown=shown, written=[*written, *figures, page])
    return shown

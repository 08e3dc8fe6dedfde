"""Bundles from Python: what ``bundle.py`` does."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from sea_core.errors import UserError
from sea_core.project import default_data
from sea_core.working import working
from study.analysis.results import Results
from study.api.outputs import write_outputs
from study.records.study import RunRecord, Study, load_study
from study.records.summary import write_trials_table
from study.reporting.bundling.check import check_tables, other_code
from study.reporting.bundling.contents import check_finished, count_files, study_in, unpack
from study.reporting.bundling.make import write_bundle
from study.verification.replay import data_of, differences_of_place, every_run, find_run, replay
from study.verification.verify import DamagedRecordError

__all__ = ["check_bundle", "make_bundle"]


def make_bundle(study: Study | str | os.PathLike[str], *, out: str | os.PathLike[str] | None = None) -> Path:
    """Write a finished study as one zip file; its tables, figures and report are brought up to date first.

    Args:
        study: as loaded, or its folder.
        out: the file; None = ``<study>-bundle.zip`` beside the study's folder.

    Returns:
        The file.

    Raises:
        UserError: no study there, it is not finished, or an unwritable folder.

    Example:
        >>> import study
        >>> study.make_bundle("results/tiny").name
        'tiny-bundle.zip'
    """
    loaded = study if isinstance(study, Study) else load_study(study)
    root = loaded.folder.root
    check_finished(loaded)
    with working(f"bundling {loaded.name}"):
        if loaded.trials:
            write_trials_table(loaded)
        write_outputs(Results([loaded]), root)
        return write_bundle(loaded, root.with_name(f"{root.name}-bundle.zip") if out is None else Path(out))


def check_bundle(
    path: str | os.PathLike[str],
    *,
    dataset: str | None = None,
    data_root: Path | None = None,
    run: str | None = None,
    write_line: Callable[[str], None] = print,
) -> bool:
    """Check a bundle: the hash of every file, every table computed again, and one run trained again.

    Args:
        path: the zip file, or the folder it was unpacked to.
        dataset: name or path of the data; None = as the study says.
        data_root: where named dataset folders lie; None = the project's.
        run: which to train again: a trial's number or a folder in the study; None = one at random; empty = none.
        write_line: told what was checked, line by line.

    Returns:
        Whether everything that was checked holds. A run is not trained again where its data are not at hand, which is
        said, with the hash that they must have.

    Raises:
        UserError: no bundle there, or a damaged one: the file is named.

    Example:
        >>> import study
        >>> study.check_bundle(study.make_bundle("results/tiny"), run="", write_line=lambda line: None)
        True
    """
    with tempfile.TemporaryDirectory(prefix="bundle-") as temporary:
        root = unpack(Path(path), Path(temporary))
        write_line(f"files: {count_files(root)}, each with the content that was bundled")
        loaded = load_study(study_in(root))
        note = other_code(root)
        if note is not None:
            write_line(f"note: {note}; tables of another version may differ")
        holds = _check_tables(loaded, write_line)
        if run == "":
            return holds
        return _replay_one(loaded, run, dataset, data_root or default_data(), write_line) and holds


def _check_tables(study: Study, write_line: Callable[[str], None]) -> bool:
    with working("computing every table again"):
        tables = check_tables(study)
    wrong = [table for table in tables if table.difference]
    for table in wrong:
        write_line(f"table {table.name} differs: {table.difference}")
    largest = max((table.rounded for table in tables), default=0.0)
    rounding = f", {sum(table.rounded > 0 for table in tables)} up to rounding ({largest:.0e})" if largest else ""
    write_line(
        f"tables: {len(tables) - len(wrong)} of {len(tables)} computed from the records again and equal{rounding}"
    )
    return not wrong


def _replay_one(
    study: Study, name: str | None, dataset: str | None, data_root: Path, write_line: Callable[[str], None]
) -> bool:
    record = _any_run(study) if name is None else find_run(study, name)
    if record is None:
        write_line("not trained again: no run of this study was trained")
        return True
    label = record.folder.relative_to(study.folder.root).as_posix()
    chosen = " (chosen at random; --run trains it again)" if name is None else ""
    try:
        data = data_of(study, record, dataset=dataset, data_root=data_root)
        results = list(replay(study, record, data))
    except UserError as error:
        # A damaged record is no matter of data; and who names data says where they are.
        if dataset is not None or isinstance(error, DamagedRecordError):
            raise
        write_line(f"not trained again: {label} needs data with the hash {record.data_hash}: {error}")
        return name is None
    for line in differences_of_place(record, None):
        write_line(f"note: {line}; results may differ in their last digits")
    for each in results:
        what = each.run.folder.relative_to(study.folder.root).as_posix()
        write_line(f"run {what}{chosen}: {str(each).partition(': ')[2]}")
    return all(each.difference is None for each in results)


def _any_run(study: Study) -> RunRecord | None:
    """A run that was trained here, any with equal chance; None if none was."""
    runs = [run for run in every_run(study) if run.seed is not None and run.history is not None]
    runs = [run for run in runs if run.state != "failed" and "copied_from" not in run.record]
    return secrets.choice(runs) if runs else None

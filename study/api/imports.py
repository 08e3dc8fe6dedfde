"""Results of programs elsewhere, from Python: what ``import_results.py`` does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from study.analysis.results import Results
from study.api.outputs import write_outputs
from study.records.imported import ImportedResults, check_imported, read_imported, write_imported
from study.records.lock import hold_lock
from study.records.study import Study, load_study

__all__ = ["add_results"]


def add_results(
    study: Study | str | os.PathLike[str], *files: str | os.PathLike[str], replace: bool = False
) -> list[ImportedResults]:
    """Put per-user test results of other programs beside a study's own, and write its tables, figures and report again.

    Args:
        study: as loaded, or its folder.
        files: YAML files, each with ``name``, ``title``, ``results`` (a CSV or Parquet file), ``split_hash`` and
            ``why``; docs/models.md has an example.
        replace: take the place of other results of that name.

    Returns:
        What was read, a file each.

    Raises:
        UserError: no study there, another process drives it, a faulty file, or results of other users, another split
            or other metrics. Nothing is kept of any file then.

    Example:
        >>> import pandas, study
        >>> run = study.load_study("results/tiny").winner[0]
        >>> pandas.DataFrame({"user": run.test.users, **run.test.values}).to_csv("theirs.csv", index=False)
        >>> with open("theirs.yaml", "w") as file:
        ...     print("name: theirs", "title: Theirs", "why: An example.", sep="\\n", file=file)
        ...     print("results: theirs.csv", f"split_hash: {run.split_hash}", sep="\\n", file=file)
        >>> [added] = study.add_results("results/tiny", "theirs.yaml")
        >>> added.title, {row.arm for row in study.compare("results/tiny").imported}
        ('Theirs', {'imported:theirs'})
    """
    loaded = study if isinstance(study, Study) else load_study(study)
    read: Sequence[ImportedResults] = [read_imported(Path(path)) for path in files]
    for results in read:
        check_imported(results, loaded)
    root = loaded.folder.root
    with hold_lock(root):
        for results in read:
            write_imported(results, loaded, replace=replace)
    write_outputs(Results([load_study(root)]), root)
    return list(read)

"""Checking a bundle: its tables computed again from its records."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from sea_core.errors import UserError
from study.analysis.results import Results
from study.records.provenance import source_version
from study.records.study import Study
from study.records.summary import write_trials_table
from study.reporting.bundling.contents import ENVIRONMENT
from study.reporting.tables.render import write_table
from study.reporting.tables.write import compute_tables

ROUNDING = 1e-9  # relative: what another machine's order of sums may change


class TableCheck(NamedTuple):
    """A table of a bundle beside the same one computed again.

    Attributes:
        name: stem of its file.
        difference: what differs; empty if nothing does.
        rounded: largest relative difference of a number, where it is rounding only.
    """

    name: str
    difference: str = ""
    rounded: float = 0.0


def check_tables(study: Study) -> list[TableCheck]:
    """Compute every table of an unpacked study from its records again and compare the CSV files, at full precision.

    Raises:
        UserError: the records are damaged or cannot stand in one table.
    """
    there = {path.stem: path for path in sorted((study.folder.tables).glob("*.csv"))}
    with tempfile.TemporaryDirectory() as temporary:
        made = {
            table.name: next(path for path in write_table(table, Path(temporary)) if path.suffix == ".csv")
            for table in compute_tables(Results([study]))
        }
        if "trials" in there:
            made["trials"] = Path(temporary) / "trials.csv"
            write_trials_table(study, made["trials"])
        return list(_compared(there, made))


def _compared(there: dict[str, Path], made: dict[str, Path]) -> Iterator[TableCheck]:
    for name in sorted(there.keys() | made.keys()):
        if name not in made:
            yield TableCheck(name, "the records do not give it; was it made with a plugin that is not loaded?")
        elif name not in there:
            yield TableCheck(name, "it is not in the bundle")
        elif there[name].read_bytes() == made[name].read_bytes():
            yield TableCheck(name)
        else:
            try:
                bundled = pd.read_csv(there[name])
            except ValueError as error:  # all that pandas and codecs say of a file that is no CSV
                yield TableCheck(name, f"{there[name].name} is no table: {' '.join(str(error).split())}")
                continue
            yield _beyond_rounding(name, bundled, pd.read_csv(made[name]))


def _beyond_rounding(name: str, there: pd.DataFrame, made: pd.DataFrame) -> TableCheck:
    if list(there.columns) != list(made.columns):
        return TableCheck(name, f"columns {', '.join(there.columns)}; computed {', '.join(made.columns)}")
    if len(there) != len(made):
        return TableCheck(name, f"{len(there)} rows; computed {len(made)}")
    largest = 0.0
    for column in there.columns:
        old, new = there[column], made[column]
        if pd.api.types.is_numeric_dtype(old) and pd.api.types.is_numeric_dtype(new):
            left, right = old.to_numpy(dtype=np.float64), new.to_numpy(dtype=np.float64)
            scale = np.maximum(np.abs(left), np.abs(right))
            with np.errstate(invalid="ignore", divide="ignore"):
                relative = np.where(left == right, 0.0, np.abs(left - right) / scale)
            wrong = ~((relative <= ROUNDING) | (np.isnan(left) & np.isnan(right)))
            largest = max(largest, float(np.nanmax(np.where(wrong, 0.0, relative), initial=0.0)))
        else:
            wrong = ~((old == new) | (old.isna() & new.isna())).to_numpy(dtype=np.bool_)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            return TableCheck(name, f"row {row + 1}, {column}: {old.iloc[row]!r}; computed {new.iloc[row]!r}")
    return TableCheck(name, rounded=largest)


def other_code(root: Path) -> str | None:
    """A note where the bundle's last commit is not the one that checks it; None where it is, or nobody knows.

    Raises:
        UserError: the bundle does not say what it was made with.
    """
    try:
        commits = [str(each) for each in json.loads((root / ENVIRONMENT).read_text(encoding="utf-8"))["commits"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{root / ENVIRONMENT} is missing or damaged; expected what study/bundle.py wrote") from None
    here = source_version()["commit"]
    if not commits or here is None or commits[-1].removesuffix("-dirty") == here:
        return None
    return f"made at commit {commits[-1][:12]}, checked at {here[:12]}"

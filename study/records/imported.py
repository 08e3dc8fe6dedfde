"""Per-user test results of programs elsewhere: read, checked against a study, and kept in its folder.

Nothing was trained or opened here, so there is no config and no receipt. Tables mark such rows.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sea_core.errors import UserError, suggest
from sea_core.evaluation.user_metrics import UserMetrics
from sea_core.files import write_json
from sea_core.run_folder import RECORD, SCHEMA_VERSION, TEST, write_user_metrics
from sea_core.strict_yaml import read_yaml
from study.records.arm_names import FULL
from study.records.folder import StudyFolder, now
from study.records.study import RunRecord, Study

KEYS = ("name", "title", "results", "split_hash", "why")
MARK = "§"  # behind the title of every imported row
FORM = (
    "expected columns user, metric, value and, if it was trained several times, seed; or user, seed and a column per "
    "metric, like recall@20"
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SHOWN = 5  # users that a message names


class ImportedResults(NamedTuple):
    """Results of one program on one split.

    Attributes:
        name, title, why: of its rows, and what it is: program, version, how it was tuned.
        split_hash: of the split that it was trained and tested on.
        source: file that the values are from.
        file_hash: SHA-256 of that file.
        by_seed: seed -> metrics of all test users; a program without seeds has seed 0.
    """

    name: str
    title: str
    why: str
    split_hash: str
    source: Path
    file_hash: str
    by_seed: Mapping[int, UserMetrics]


def read_imported(path: Path) -> ImportedResults:
    """Read a YAML file with ``name``, ``title``, ``results``, ``split_hash`` and ``why``, and the file of results.

    Raises:
        UserError: a faulty key or file, a user with two values of one metric, or a value that is not finite.
    """
    content = read_yaml(path)
    for key in KEYS:
        if not isinstance(content.get(key), str) or not content[key].strip():
            raise UserError(
                f"{path}: '{key}' must be text, got {content.get(key)!r}; expected the keys {', '.join(KEYS)}"
                + (" (quote a split_hash of digits)" if key == "split_hash" else "")
            )
    for key in content:
        if key not in KEYS:
            raise UserError(f"{path}: unknown key '{key}'{suggest(key, KEYS)}")
    if not _NAME.fullmatch(content["name"]):
        raise UserError(
            f"{path}: name must be letters, digits, '-', '_' and '.' (it names a folder), got {content['name']!r}"
        )
    source = path.parent / content["results"]
    table = _read_table(source)
    file_hash = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    why = " ".join(content["why"].split())
    by_seed = _by_seed(table, source)
    return ImportedResults(
        content["name"], content["title"].strip(), why, content["split_hash"].strip(), source, file_hash, by_seed
    )


def check_imported(results: ImportedResults, study: Study) -> None:
    """Refuse results that cannot be paired with a study's, user by user.

    Raises:
        UserError: the study has no test results of one split; or users, split or metrics of the two differ.
    """
    reference = next((run for run in reference_runs(study) if run.test is not None), None)
    if reference is None or reference.test is None:
        raise UserError(f"{study.folder.root} has no test results to stand beside; finalise the search first")
    if any(run.split_seed is not None for run in reference_runs(study)):
        raise UserError(
            f"{study.folder.root} was run on several splits (--split-seeds), and {results.source} has results of one; "
            "import into a study of the data's own split"
        )
    if results.split_hash != reference.split_hash:
        raise UserError(
            f"{results.source} is of another split: split_hash {results.split_hash}, that of {study.folder.root} is "
            f"{reference.split_hash} (python -m sea_core data describe shows it)"
        )
    test = reference.test
    for seed, metrics in results.by_seed.items():
        _check_users(metrics.users, test.users, f"{results.source}, seed {seed}")
        missing = [metric for metric in study.metrics if metric not in metrics.values]
        if missing:
            raise UserError(
                f"{results.source} has no {', '.join(missing)}, which the tables of {study.name} show; it has "
                f"{', '.join(metrics.values)}"
            )
        for metric, values in metrics.values.items():
            most = float(test.values[metric].max()) if metric in test.values else 1.0
            if values.min() < 0 or (values.max() > 1 and most <= 1):
                worst = int(np.argmax(np.abs(values - 0.5)))
                raise UserError(
                    f"{results.source}, seed {seed}: {metric} of user {metrics.users[worst]} is {values[worst]:g}; "
                    "metrics are shares from 0 to 1, one value per user"
                )


def write_imported(results: ImportedResults, study: Study, *, replace: bool = False) -> list[Path]:
    """Keep results in ``imported/<name>/seed-<n>`` of the study's folder, one run folder a seed, without a receipt.

    Args:
        results: checked against the study.
        study: whose rows they will stand beside.
        replace: take the place of other results of that name.

    Returns:
        The folders; those of equal results stay as they are.

    Raises:
        UserError: other results of that name are there.
    """
    parent = folder_of(study.folder, results.name)
    before = [run for run in study.imported if run.folder.parent == parent]
    same = {run.seed for run in before} == results.by_seed.keys() and all(_describes(run, results) for run in before)
    folders = [parent / f"seed-{seed}" for seed in results.by_seed]
    if before and same:
        return folders
    if before and not replace:
        raise UserError(
            f"{parent} holds other results of that name; choose another name, or pass --replace to put these there"
        )
    if parent.exists():
        shutil.rmtree(parent)
    for folder, (seed, metrics) in zip(folders, results.by_seed.items(), strict=True):
        folder.mkdir(parents=True)
        write_user_metrics(folder / TEST, metrics)
        record = {
            "schema_version": SCHEMA_VERSION,
            "dataset": study.dataset,
            "split_hash": results.split_hash,
            "seed": seed,
            "imported": {**_own(results), "time": now()},
        }
        write_json(folder / RECORD, record)
    return folders


def folder_of(folder: StudyFolder, name: str) -> Path:
    """Where results of that name lie."""
    return folder.root / "imported" / name


def reference_runs(study: Study) -> list[RunRecord]:
    """What imported results stand beside: the full model's frozen runs, else the winner's."""
    return study.runs(arm=FULL, mode="frozen") or study.winner


def _own(results: ImportedResults) -> dict[str, Any]:
    return {
        "name": results.name,
        "title": results.title,
        "why": results.why,
        "file": results.source.name,
        "file_hash": results.file_hash,
    }


def _describes(run: RunRecord, results: ImportedResults) -> bool:
    there = {key: value for key, value in run.record["imported"].items() if key != "time"}
    return there == _own(results) and run.split_hash == results.split_hash


def _read_table(source: Path) -> pd.DataFrame:
    try:
        if source.suffix == ".parquet":
            return pd.read_parquet(source)
        if source.suffix == ".csv":
            return pd.read_csv(source)
    except FileNotFoundError:
        raise UserError(f"no file {source}; 'results' is relative to the YAML file that names it") from None
    except Exception as error:  # each format has its own errors, and a damaged file meets all of them
        raise UserError(f"cannot read {source}: {' '.join(str(error).split())[:200]}; {FORM}") from None
    raise UserError(f"{source} must be a .csv or a .parquet file; {FORM}")


def _by_seed(table: pd.DataFrame, source: Path) -> dict[int, UserMetrics]:
    """Seed -> metrics by user, from either form."""
    if "user" not in table or len(table) == 0 or len(table.columns) < 2:
        raise UserError(f"{source} has the columns {', '.join(map(str, table.columns))}; {FORM}")
    if "seed" not in table:
        table = table.assign(seed=0)
    for column in ("user", "seed"):
        table = table.assign(**{column: _whole(table[column], column, source)})
    if {"metric", "value"} <= set(table.columns):
        _refuse_repeated(table, ["seed", "user", "metric"], source)
        values = table.assign(value=_numbers(table["value"], "value", source))
        wide = values.pivot(index=["seed", "user"], columns="metric", values="value").reset_index()
    else:
        _refuse_repeated(table, ["seed", "user"], source)
        wide = table
    names = [str(name) for name in wide.columns if name not in ("user", "seed")]
    columns = {name.lower(): _numbers(wide[name], name, source) for name in names}
    by_seed = {}
    for seed in sorted(wide["seed"].unique()):
        rows = np.flatnonzero(wide["seed"].to_numpy() == seed)
        rows = rows[np.argsort(wide["user"].to_numpy()[rows], kind="stable")]
        users = wide["user"].to_numpy()[rows]
        by_seed[int(seed)] = UserMetrics(users, {name: values[rows] for name, values in columns.items()})
    return by_seed


def _whole(values: pd.Series, column: str, source: Path) -> np.ndarray:
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64)
    wrong = ~(np.isfinite(numbers) & (numbers >= 0) & (numbers == np.floor(numbers)))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise UserError(
            f"{source}: {column} must be a whole number from 0, as in the data, got {values.iloc[row]!r} in row {row}"
        )
    return numbers.astype(np.int64)


def _numbers(values: pd.Series, column: str, source: Path) -> np.ndarray:
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64)
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise UserError(
            f"{source}: {column} has no finite number in row {row} ({values.iloc[row]!r}); every user needs a value of "
            "every metric and seed"
        )
    return numbers


def _refuse_repeated(table: pd.DataFrame, keys: Sequence[str], source: Path) -> None:
    repeated = table[table.duplicated(list(keys))]
    if len(repeated):
        row = ", ".join(f"{key} {repeated.iloc[0][key]}" for key in keys)
        raise UserError(f"{source}: {row} is there more than once; one value per user, metric and seed")


def _check_users(theirs: np.ndarray, ours: np.ndarray, source: str) -> None:
    missing, unknown = np.setdiff1d(ours, theirs), np.setdiff1d(theirs, ours)
    if len(missing) or len(unknown):
        faults = [f"lacks {_named(missing)} of the {len(ours)} users of the test split"] if len(missing) else []
        faults += [f"has {_named(unknown)} that the test split does not have"] if len(unknown) else []
        raise UserError(f"{source} {' and '.join(faults)}; only results of the same users can be paired")


def _named(users: Iterable[int]) -> str:
    """``2 users (3, 17)``, of many the first."""
    listed = [str(user) for user in users]
    more = ", ..." if len(listed) > _SHOWN else ""
    return f"{len(listed)} user{'' if len(listed) == 1 else 's'} ({', '.join(listed[:_SHOWN])}{more})"

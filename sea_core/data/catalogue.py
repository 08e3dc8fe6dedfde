"""From a dataset's name or path to a ``Dataset``: the one place that decides what training and selection may see."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from sea_core.data.dataset import Dataset, Interactions
from sea_core.data.ml100k import open_ml100k
from sea_core.data.mmrec_folder import open_folder
from sea_core.data.splits import Contents, Splits
from sea_core.data.synthetic import Knobs, open_synthetic
from sea_core.errors import UserError, suggest

BUILT_IN = ("synthetic", "ml-100k")


def load_dataset(
    name_or_path: str, *, data_root: Path = Path("data"), modalities: Mapping[str, str] | None = None
) -> Dataset:
    """Load a dataset without its test rows.

    Args:
        name_or_path: ``synthetic`` (``synthetic:users=500,noise=0.5`` sets knobs), ``ml-100k``, a folder of
            ``data_root``, or the path of any MMRec folder.
        data_root: where named folders lie.
        modalities: ordered map name -> feature file; None takes the dataset's own.

    Raises:
        UserError: unknown name, or a fault of the data (docs/data.md).
    """
    source = _find(name_or_path, data_root)
    contents = _open(source)
    splits = contents.splits
    features = contents.read_features(modalities)
    return Dataset(
        name=source if source.partition(":")[0] in BUILT_IN else Path(source).name,
        source=source,
        users=splits.users,
        items=splits.items,
        train=splits.train,
        valid=_of_training_users(splits.valid, splits),
        features=features,
        notes=(*contents.notes, *_count_untrained(splits)),
    )


def load_test_rows(dataset: Dataset) -> Interactions:
    """Read a dataset's test rows again, of users with training rows. For ``sea_core/test_split.py`` alone.

    Raises:
        UserError: the data are gone or no longer those that were trained on.
    """
    splits = _open(dataset.source).splits
    same = Dataset("", "", splits.users, splits.items, splits.train, _of_training_users(splits.valid, splits), {})
    if same.split_hash != dataset.split_hash:
        raise UserError(f"{dataset.source}: the data changed since they were loaded; train again on what is there now")
    return _of_training_users(splits.test, splits)


def count_rows(dataset: Dataset) -> dict[str, int]:
    """Rows per split, test included, as numbers only."""
    splits = _open(dataset.source).splits
    return {"training": len(splits.train), "validation": len(splits.valid), "test": len(splits.test)}


def dataset_names(data_root: Path = Path("data")) -> list[str]:
    """What ``load_dataset`` knows by name: built-in datasets, then the folders of ``data_root`` with interactions."""
    folders = sorted({path.parent.name for path in data_root.glob("*/*.inter")})
    return [*BUILT_IN, *folders]


def _find(name_or_path: str, data_root: Path) -> str:
    """The dataset's ``source``: a built-in name with its knobs in canonical form, or an absolute path."""
    name, colon, knobs = name_or_path.partition(":")
    if name == "synthetic":
        written = Knobs.parse(knobs).write()
        return f"{name}:{written}" if written else name
    if name in BUILT_IN and not colon:
        return name
    for folder in (data_root / name_or_path, Path(name_or_path)):
        if name_or_path and os.path.isdir(folder):  # unlike Path.is_dir, says no to names no file can have
            return str(folder.resolve())
    names = dataset_names(data_root)
    raise UserError(
        f"unknown dataset {name_or_path!r}: not built in, nor a folder of {data_root}, nor a path"
        f"{suggest(name_or_path, names)}"
    )


def _open(source: str) -> Contents:
    name, _, knobs = source.partition(":")
    if name == "synthetic":
        return open_synthetic(Knobs.parse(knobs))
    if name == "ml-100k":
        return open_ml100k()
    return open_folder(Path(source))


def _of_training_users(rows: Interactions, splits: Splits) -> Interactions:
    known = np.isin(rows.user, splits.train.user)
    return rows if known.all() else Interactions(user=rows.user[known], item=rows.item[known])


def _count_untrained(splits: Splits) -> tuple[str, ...]:
    """Counts that training and validation rows alone decide; test rows must not show here."""
    notes = []
    users = splits.users - np.unique(splits.train.user).size
    if users:
        notes.append(f"{users} of {splits.users} users have no training interaction: dropped from validation and test")
    items = splits.items - np.unique(splits.train.item).size
    if items:
        notes.append(f"{items} of {splits.items} items have no training interaction: ranked by their features alone")
    return tuple(notes)

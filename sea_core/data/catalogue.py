"""From a dataset's name or path to a ``Dataset``: the one place that decides what training and selection may see."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from sea_core.data.dataset import Dataset, Interactions, OtherSplit
from sea_core.data.resplit import resplit
from sea_core.data.sources.registry import sources
from sea_core.data.sources.source import Source
from sea_core.data.splits import Splits
from sea_core.errors import UserError, suggest

FOLDERS = "mmrec"  # the source of what is no name: a folder of the data root, or a path


def load_dataset(
    name_or_path: str,
    *,
    data_root: Path = Path("data"),
    modalities: Mapping[str, str] | None = None,
    feature_transform: Mapping[str, str] | None = None,
) -> Dataset:
    """Load a dataset without its test rows.

    Args:
        name_or_path: ``synthetic`` (``synthetic:users=500,noise=0.5`` sets knobs), ``ml-100k``, a folder of
            ``data_root``, or the path of any MMRec folder.
        data_root: where named folders lie.
        modalities: ordered map name -> feature file; None takes the dataset's own.
        feature_transform: what is done to the features, as a config says it (``sea_core/data/transforms.py``).

    Raises:
        UserError: unknown name, or a fault of the data (docs/data.md).
    """
    source, options = _find(name_or_path, data_root)
    contents = source.open(options)
    splits = contents.splits
    features = contents.read_features(modalities)
    dataset = Dataset(
        name=Path(options).name if source.name == FOLDERS else _written(source, options),
        source=_written(source, options),
        users=splits.users,
        items=splits.items,
        train=splits.train,
        valid=of_training_users(splits.valid, splits),
        features=features,
        notes=(*contents.notes, *_count_untrained(splits)),
        protocol=contents.protocol,
    )
    return dataset.viewed(None, feature_transform)


def count_rows(dataset: Dataset) -> dict[str, int]:
    """Rows per split, test included, as numbers only."""
    splits = reopen(dataset)
    return {"training": len(splits.train), "validation": len(splits.valid), "test": len(splits.test)}


def reopen(dataset: Dataset) -> Splits:
    """The splits as they lie at the source now, test rows among them: ``sea_core/holdout.py`` alone may ask for them.

    Raises:
        UserError: the data are gone.
    """
    source, options = _find(dataset.source, None)
    contents = source.open(options)
    if dataset.split_seed is None:
        return contents.splits
    return resplit(contents.splits, contents.protocol, dataset.split_seed)[0]


def with_other_splits(dataset: Dataset, split_seeds: Mapping[int, int]) -> Dataset:
    """The dataset with another split for runs of some seeds; features and ids stay.

    Each split keeps its own test rows out. A row that is tested on in one is trained on in others, so nothing may be
    chosen on one split and be called untouched by the test rows of another.

    Args:
        dataset: as loaded.
        split_seeds: seed of a run -> seed of its split.

    Raises:
        UserError: the rows were not split at random.
    """
    source, options = _find(dataset.source, None)
    contents = source.open(options)
    made = {}
    for seed in dict.fromkeys(split_seeds.values()):
        splits, protocol = resplit(contents.splits, contents.protocol, seed)
        made[seed] = OtherSplit(seed, splits.train, of_training_users(splits.valid, splits), protocol)
    return replace(dataset, other_splits={run: made[seed] for run, seed in split_seeds.items()})


def of_training_users(rows: Interactions, splits: Splits) -> Interactions:
    """Rows of the users that have training rows."""
    known = np.isin(rows.user, splits.train.user)
    return rows if known.all() else Interactions(user=rows.user[known], item=rows.item[known])


def dataset_names(data_root: Path = Path("data")) -> list[str]:
    """What ``load_dataset`` knows by name: the sources, then the folders of ``data_root`` with interactions."""
    folders = sorted({path.parent.name for path in data_root.glob("*/*.inter")} - sources().keys())
    return [*(name for name in sources() if name != FOLDERS), *folders]


def _find(name_or_path: str, data_root: Path | None) -> tuple[Source, str]:
    """The source, and its options in canonical form; without a data root, of what a dataset calls its source."""
    known = sources()
    name, colon, options = name_or_path.partition(":")
    is_folder = data_root is not None and name in known and known[name].yields_to_folder and _holds(data_root, name)
    if name in known and (colon or name != FOLDERS) and not is_folder:
        return known[name], known[name].canonical(options)
    data_root = data_root or Path()
    for folder in (data_root / name_or_path, Path(name_or_path)):
        if name_or_path and os.path.isdir(folder):  # unlike Path.is_dir, says no to names no file can have
            return known[FOLDERS], known[FOLDERS].canonical(str(folder))
    if name_or_path.endswith(".inter") and os.path.isfile(name_or_path):
        raise UserError(
            f"{name_or_path} is a file; expected the folder it lies in, with the feature files: "
            f"give {Path(name_or_path).parent}"
        )
    names = dataset_names(data_root)
    raise UserError(
        f"unknown dataset {name_or_path!r}: not built in, nor a folder of {data_root}, nor a path"
        f"{suggest(name_or_path, names)}"
    )


def _holds(data_root: Path, name: str) -> bool:
    return any((data_root / name).glob("*.inter"))


def _written(source: Source, options: str) -> str:
    """What finds the same dataset again."""
    if source.name == FOLDERS:
        return options
    return f"{source.name}:{options}" if options else source.name


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

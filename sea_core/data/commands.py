"""``python -m sea_core data``: list, describe, fetch and check datasets."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sea_core.cache import cache_root
from sea_core.data.catalogue import count_rows, dataset_names, load_dataset
from sea_core.data.checks import about_files, refuse_untrainable
from sea_core.data.dataset import Dataset
from sea_core.data.prepare.command import add_prepare_parser
from sea_core.data.sources.registry import sources
from sea_core.data.sources.source import Source
from sea_core.data.splits import split_words
from sea_core.errors import UserError, suggest
from sea_core.project import default_data

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

NAME_HELP = "synthetic (with knobs: synthetic:users=500), ml-100k, a folder of the data root, or a path"


def add_data_parser(subparsers: Subparsers) -> None:
    """Add ``data`` with its commands; each sets ``run``, which takes the arguments and returns an exit code."""
    data = subparsers.add_parser(
        "data", help="list, describe, fetch and check datasets", description="Look at datasets. docs/data.md has more."
    )
    commands = data.add_subparsers(dest="data_command", required=True, metavar="COMMAND")

    listing = commands.add_parser("list", help="what can be loaded by name")
    describe = commands.add_parser("describe", help="sizes, density, splits, features, notes and hashes")
    describe.add_argument("name", metavar="NAME", help=NAME_HELP)
    for parser in (listing, describe):
        parser.add_argument(
            "--data-root", type=Path, default=default_data(), help="where named dataset folders lie (default: data)"
        )
    fetch = commands.add_parser("fetch", help="bring a dataset into the cache, so that later runs need no network")
    fetch.add_argument(
        "--mirror", metavar="ADDRESS", help="where to fetch from instead; files have the same names below it"
    )
    fetch.add_argument("name", metavar="NAME", help=f"{', '.join(_fetchable())}, or a source of a plugin")
    check = commands.add_parser(
        "check",
        help="validate an MMRec folder without training: exit code 0, or 2 and the first fault",
        description="Validate an MMRec folder without training. Exit code 0, or 2 with the first fault in one line.",
    )
    check.add_argument("path", metavar="PATH", help="a folder with one .inter file and the feature files")
    add_prepare_parser(commands)
    for parser in (describe, check):
        parser.add_argument(
            "--modalities",
            nargs="+",
            metavar="NAME[=FILE]",
            help="modalities in model order; FILE is NAME_feat.npy unless given (default: the dataset's own)",
        )
    for parser, run in ((listing, _list), (describe, _describe), (fetch, _fetch), (check, _check)):
        parser.set_defaults(run=run)


def describe_dataset(dataset: Dataset) -> str:
    """A page about a dataset, as text; of the test split only its number of rows."""
    rows = count_rows(dataset)
    per_user = np.bincount(dataset.train.user, minlength=dataset.users)
    lines = [
        ("dataset", dataset.name),
        ("source", dataset.source),
        ("users", f"{dataset.users:,}"),
        ("items", f"{dataset.items:,}"),
        ("interactions", ", ".join(f"{count:,} {split}" for split, count in rows.items())),
        ("density", f"{sum(rows.values()) / dataset.users / dataset.items:.4%}"),
        ("split", "as it came" if dataset.protocol is None else split_words(dataset.protocol)),
        ("per user", f"{per_user.min()} to {per_user.max()} in training, median {np.median(per_user):g}"),
        *(
            (name, f"{array.shape[1]} features, {dataset.feature_hashes[name]}")
            for name, array in dataset.features.items()
        ),
        ("split hash", dataset.split_hash),
        ("data hash", dataset.data_hash),
        *(("note", note) for note in dataset.notes),
    ]
    return "\n".join(f"{label:<13} {text}" for label, text in lines)


def _list(arguments: argparse.Namespace) -> int:
    known = sources()
    for name in dataset_names(arguments.data_root):
        summary = known[name].summary if name in known else str(arguments.data_root / name)
        if name in _fetchable():
            summary += " (in the cache)" if known[name].is_fetched() else " (fetched on first use)"
        print(f"{name:<24} {summary}")
    print(f"\nOr the path of any MMRec folder. Cache: {cache_root()}")
    return 0


def _describe(arguments: argparse.Namespace) -> int:
    modalities = _modalities(arguments.modalities)
    print(describe_dataset(load_dataset(arguments.name, data_root=arguments.data_root, modalities=modalities)))
    return 0


def _fetch(arguments: argparse.Namespace) -> int:
    known = _fetchable()  # with those that plugins registered
    if arguments.name not in known:
        raise UserError(f"there is nothing to fetch for '{arguments.name}'{suggest(arguments.name, known)}")
    print(f"{arguments.name} is in {sources()[arguments.name].fetch(mirror=arguments.mirror)}")
    return 0


def _fetchable() -> list[str]:
    """Sources that have something to fetch."""
    return [name for name, source in sources().items() if type(source).fetch is not Source.fetch]


def _check(arguments: argparse.Namespace) -> int:
    path = Path(arguments.path)
    if path.is_file() and path.suffix == ".inter":
        raise UserError(f"{path} is a file; expected the folder it lies in: give {path.parent}")
    if not path.is_dir():
        raise UserError(f"{path}: no such dataset folder")
    modalities = _modalities(arguments.modalities)
    dataset = load_dataset(str(path.resolve()), modalities=modalities)
    refuse_untrainable(dataset)
    print(describe_dataset(dataset))
    for line in about_files(path, modalities):
        print(line)
    print("valid: training can start")
    return 0


def _modalities(words: list[str] | None) -> Mapping[str, str] | None:
    """``["audio", "text=words.npy"]`` as an ordered map name -> file."""
    if words is None:
        return None
    parts = [word.partition("=") for word in words]
    names = [name for name, _, _ in parts]
    if "" in names or len(set(names)) < len(names):
        raise UserError(f"--modalities must name each modality once, got {' '.join(words)!r}")
    return {name: file or f"{name}_feat.npy" for name, _, file in parts}

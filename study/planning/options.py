"""Options that programs of ``study`` and ``ablations`` share, and how what was given becomes a request."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from sea_core.errors import UserError
from sea_core.options import SHARED, Option, option
from sea_core.strict_yaml import parse_assignments
from study.planning.requests import AblationRequest, PathRequest, SearchRequest
from study.running.resources import AUTO, Resources

Request = TypeVar("Request", SearchRequest, AblationRequest, PathRequest)


# How any program that trains runs, in the order of ``--help``; before them each says where its results lie.
HOW_TO_RUN = (
    "--device",
    "--workers",
    "--threads",
    "--gpus-per-worker",
    "--ray-address",
    "--dry-run",
    "--listener",
    "--quiet",
)


def number_or_auto(text: str) -> int | str:
    """An option's value.

    Raises:
        ArgumentTypeError: it is neither; ``argparse`` puts the option's name before the message.
    """
    try:
        return AUTO if text == AUTO else int(text)
    except ValueError:
        raise ArgumentTypeError(f"must be a number or {AUTO}, got '{text}'") from None


STUDY_OPTIONS: dict[str, Option] = SHARED | dict(
    [
        option(
            "-d",
            "--dataset",
            text="a name (python -m sea_core data list), or the path of a folder; repeat it for several studies",
            metavar="NAME|PATH",
            action="append",
            unless="synthetic; of an ablation of a study, the study's",
        ),
        option(
            "--suite",
            text="arms to compare the full model with: a name in ablations/suites.yaml (run_ablations.py --list)",
            metavar="NAME",
        ),
        option(
            "--fresh-seeds",
            text="fresh seeds for the winner and for every arm, the same for all; finalists compete on 3 at most",
            type=int,
            metavar="N",
            unless="those a study was begun with, else 10",
        ),
        option(
            "--split-seeds",
            text="train the fresh seeds on K random splits of the data in turn, so that results hold for more than "
            "one split; the search stays on the data's own",
            type=int,
            metavar="K",
            unless="0: the data's own split; of an ablation of a study, the study's",
        ),
        option(
            "--out",
            text="parent of study folders",
            type=Path,
            metavar="DIR",
            unless="the project's results; once installed, those of the current folder",
        ),
        option(
            "--study-name",
            text="folder in --out; of several datasets each gets NAME-<dataset>",
            metavar="NAME",
            unless="<dataset>-search, or <dataset>-ablations",
        ),
        option(
            "--workers",
            text="runs at the same time; 1 trains in this process, more are Ray actors; auto: what suits the data and "
            "this machine",
            type=number_or_auto,
            metavar="N|auto",
        ),
        option("--gpus-per-worker", text="share of a GPU for each worker, with --device cuda", type=float, metavar="X"),
        option(
            "--ray-address",
            text="train on a running Ray cluster: auto, or HOST:PORT",
            metavar="ADDRESS",
            unless="none, this machine only",
        ),
        option(
            "--listener",
            text="who else hears of it: NAME, or NAME:TEXT (docs/listeners.md); repeat it for several",
            action="append",
            metavar="NAME",
            unless="none",
        ),
        option(
            "--dry-run",
            text="show what would run, and an estimate of the time from a short probe; train and write nothing",
            action="store_true",
        ),
    ]
)


def make_request(kind: type[Request], given: Mapping[str, Any]) -> Request:
    """The request of one dataset; what is no field of it is the program's own business.

    Raises:
        UserError: a value that no request may have, or ``--set`` without ``=``.
    """
    own, nested = {each.name for each in fields(kind)}, {each.name for each in fields(Resources)}
    values = {name: value for name, value in given.items() if name in own}
    values["resources"] = Resources(**{name: value for name, value in given.items() if name in nested})
    if "settings" in values:
        values["settings"] = parse_assignments(values["settings"])
    return kind(**values)


def requests_of_studies(kind: type[Request], given: Mapping[str, Any], studies: Sequence[str]) -> list[Request]:
    """One request per finished study; ``-d`` says where the data of the only one are now.

    Args:
        kind: of the requests.
        given: by the parser.
        studies: names or folders.

    Raises:
        UserError: as ``make_request``, or a dataset beside several studies, or several datasets.
    """
    datasets = list(dict.fromkeys(given.get("dataset", [])))
    if datasets and len(datasets) + len(studies) > 2:
        raise UserError(
            f"-d says where one study's data are now, got {len(datasets)} datasets and {len(studies)} studies; leave "
            "it out, or run each study by itself"
        )
    own = dict(given) | {"dataset": datasets[0] if datasets else None}
    return [make_request(kind, own | {"from_study": study}) for study in studies]

"""Program: every model tuned at one budget, and SEA's losses on other backbones. ``make_joint.py -d DATASET``.

Per dataset: a search of each model, its winner and its default on fresh seeds; then the suite ``generalisation`` on
VBPR and FREEDOM; last the joint tables and report. Everything runs one after the other through the study's programs,
each of which goes on where it was stopped. So does this one: killed at any time, the same command goes on.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.commands import call_in_turn
from sea_core.errors import run_program

MODELS = ("sea", "freedom", "vbpr", "lightgcn", "bpr")
BACKBONES = ("vbpr+sea", "freedom+sea")
MOST_EPOCHS = 1000  # of trials too: a full run is one that stops by itself


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks/make_joint.py", description=__doc__.splitlines()[0])
    add = parser.add_argument
    text = "what to train on; repeat it for several"
    add("-d", "--dataset", required=True, action="append", metavar="NAME|PATH", help=text)
    add("--data-root", type=Path, default=Path("data"), metavar="DIR", help="where named folders lie (default: data)")
    add("--out", type=Path, default=Path("results/joint"), metavar="DIR", help="of studies (default: results/joint)")
    add("--budget", default="10x", metavar="COST", help="of each search: full runs of its default (default: 10x)")
    add("--fresh-seeds", type=int, default=5, metavar="N", help="of each winner and default (default: 5)")
    add("--seeds", type=int, default=10, metavar="N", help="of each arm of generalisation (default: 10)")
    add("--epochs", type=int, default=MOST_EPOCHS, metavar="N", help=f"cap of every run (default: {MOST_EPOCHS})")
    add("--plan", action="store_true", help="print the commands, run none")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the commands one after the other; the first that fails ends it."""
    options = make_parser().parse_args(arguments)
    planned = [command for dataset in options.dataset for command in commands(dataset, options)]
    planned += joint_commands(options)
    return call_in_turn(planned, plan_only=options.plan)


def commands(dataset: str, options: argparse.Namespace) -> list[list[str]]:
    """The searches of a dataset, and the suites on the winners of the backbones with SEA's losses."""
    where = ["--out", str(options.out.resolve()), "--threads", "1"]
    data = ["-d", dataset, "--data-root", str(options.data_root.resolve())]
    epochs = str(options.epochs)
    finals = ["--final-epochs", epochs, "--finalists", "2", "--fresh-seeds", str(options.fresh_seeds)]
    shared = [*data, "--budget", options.budget, "--epochs", epochs, *finals, "--no-ablations", *where]
    searches = [
        ["study/run_search.py", "--model", model, "--study-name", study_name(dataset, model), *shared]
        for model in (*MODELS, *BACKBONES)
    ]
    arms = ["--suite", "generalisation", "--seeds", str(options.seeds), "--data-root", str(options.data_root.resolve())]
    suites = [
        ["ablations/run_ablations.py", "--from-study", study_name(dataset, model), *arms, *where] for model in BACKBONES
    ]
    return [*searches, *suites]


def joint_commands(options: argparse.Namespace) -> list[list[str]]:
    """Tables and report over all studies."""
    out = options.out.resolve()
    studies = [str(out / study_name(d, model)) for d in options.dataset for model in (*MODELS, *BACKBONES)]
    tables = ["study/make_tables.py", *studies, "--out", str(out / "joint" / "tables")]
    return [tables, ["study/make_report.py", *studies, "--out", str(out / "joint")]]


def study_name(dataset: str, model: str) -> str:
    """``ml-100k-vbpr-sea``: a folder's name for both."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", f"{Path(dataset).name}-{model}")


if __name__ == "__main__":
    sys.exit(run_program(main))

"""Program: which of the winner's settings made the difference. ``python ablations/run_path.py --from-study NAME``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sea_core.errors import INTERRUPTED, run_program
from sea_core.options import Option, Parser, add_options, option
from study.planning.options import HOW_TO_RUN, STUDY_OPTIONS, requests_of_studies
from study.planning.requests import CHOICES, PathRequest

if TYPE_CHECKING:
    from study.records.drawn import Shown
    from study.running.events import Emit

EPILOG = """\
examples:
  run_path.py --from-study lfm2k-search --dry-run           how many runs, and how long
  run_path.py --from-study lfm2k-search
  run_path.py --from-study lfm2k-search --choose once       far fewer runs; the order may be another

From the study's base configuration one hyper-parameter after the other is set to the winner's value, each time the one
that gains most on validation. The steps are then trained and tested on other seeds, those of winner and arms. The same
command again continues; finished runs are not repeated. Each tested run opens the test split once, with a receipt."""

OPTIONS: dict[str, Option] = STUDY_OPTIONS | dict(
    [
        option(
            "--from-study",
            text="a finished study whose winner is the end of the path; repeat it for several studies",
            action="append",
            metavar="NAME",
            unless="must be given",
        ),
        option(
            "--seeds",
            text="fresh seeds that every step is tested on",
            type=int,
            metavar="N",
            unless="those of the study's arms, else of its winner",
        ),
        option(
            "--choice-seeds",
            text="other seeds, on which the next change is chosen by validation",
            type=int,
            metavar="K",
            unless="3",
        ),
        option(
            "--choose",
            text=f"how the next change is chosen: {'; '.join(f'{name} {what}' for name, what in CHOICES.items())}",
            choices=list(CHOICES),
            unless="greedy",
        ),
    ]
)
GROUPS: Mapping[str, Sequence[str]] = {
    "which path": ["--from-study", "--dataset", "--data-root", "--choose", "--choice-seeds", "--seeds"],
    "where and how": ["--out", *HOW_TO_RUN],
}


def make_parser() -> Parser:
    """The command line."""
    parser = Parser(
        prog="run_path.py",
        description="Set a study's base configuration to its winner's, one hyper-parameter at a time, and measure what "
        "each change\nbrings on test, with its interval.",
        epilog=EPILOG,
    )
    for title, names in GROUPS.items():
        add_options(parser.add_argument_group(title), PathRequest, OPTIONS, names)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Walk the path of each study, then make its tables, figures and report."""
    given = make_parser().given(arguments)
    requests = requests_of_studies(PathRequest, given, list(dict.fromkeys(given.get("from_study", [""]))))
    # Torch takes a second or two to import, which --help and mistyped options need not wait for.
    from sea_core.interrupts import graceful_stop
    from sea_core.training.loop import Stopped
    from study.ablation.path import run_path
    from study.ablation.path_setup import describe_path, plan_path
    from study.listeners.choose import check_listeners, listening
    from study.records.folder import refuse_shared

    plans = [plan_path(request) for request in requests]
    refuse_shared([plan.folder for plan in plans], "paths")
    check_listeners(given.get("listener", []))
    for plan in plans:
        print("\n".join(describe_path(plan)))
    walked = [plan for plan in plans if plan.read_keys]  # where the winner is the default there is no path
    if "dry_run" in given:
        return 0
    shown: dict[Path, Mapping[str, Shown]] = {}  # a study's folder -> its tables
    try:
        with graceful_stop() as stop:
            for plan in walked:
                with listening(given.get("listener", []), quiet="quiet" in given) as emit:
                    conclude = partial(_write_results, plan.folder.root, shown, emit)
                    run_path(plan, requests[0].resources, emit=emit, stop=stop, conclude=conclude)
    except Stopped:
        print("stopped after a finished epoch; the same command continues", file=sys.stderr)
        return INTERRUPTED
    for folder, tables in shown.items():
        _show(folder, tables)
    return 0


def _write_results(folder: Path, shown: dict[Path, Mapping[str, Shown]], emit: Emit) -> None:
    """Tables, figures and report of one study; those that a terminal shows are added to the others'."""
    from study.analysis.results import Results
    from study.api.outputs import write_outputs
    from study.records.study import load_study

    shown[folder] = write_outputs(Results([load_study(folder)]), folder, emit=emit)


def _show(folder: Path, shown: Mapping[str, Shown]) -> None:
    """The path's table, and where everything lies."""
    from study.reporting.tables.path import PATH

    if PATH in shown:
        print(f"\n{shown[PATH].caption}\n{shown[PATH].text}")
    print(f"tables: {folder / 'tables'}; figures: {folder / 'figures'}; report: {folder / 'report.html'}")


if __name__ == "__main__":
    sys.exit(run_program(main))

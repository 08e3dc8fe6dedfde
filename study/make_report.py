"""Program: the report of one or more studies. ``python study/make_report.py results/<study>``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from sea_core.errors import run_program
from sea_core.options import METRICS_HELP, Parser
from sea_core.project import default_results


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, write the pages, say where they are."""
    parser = Parser(
        prog="make_report.py",
        description="Write report.html of a study: the answer with its uncertainty, tables, figures, configs, the runs "
        "behind every cell, and warnings, in one file that needs no network. Several studies get a page each "
        "and one over all of them. Nothing is trained.",
    )
    parser.add_argument("studies", nargs="+", type=Path, metavar="STUDY", help="study folder: results/synthetic-search")
    text = "folder of the page: default STUDY of one study; of several results, for the page over all of them"
    parser.add_argument("--out", type=Path, help=text)
    parser.add_argument("--metrics", nargs="+", metavar="METRIC", help=METRICS_HELP)
    options = parser.parse_args(arguments)
    # Pandas, torch and matplotlib take seconds to import, which --help and mistyped options need not wait for.
    from plots.lib.pictures import joint_pictures, study_pictures
    from sea_core.working import working
    from study.analysis.results import Results
    from study.records.study import load_study
    from study.reporting.page.write import write_report
    from study.reporting.tables.write import compute_tables

    folders = list(dict.fromkeys(options.studies))
    of_each = [Results([load_study(folder)], metrics=options.metrics) for folder in folders]
    many = len(folders) > 1
    for folder, results in zip(folders, of_each, strict=True):
        out = folder if many or options.out is None else options.out
        with working(f"drawing and writing the report of {folder.name}"):
            report = write_report(results, compute_tables(results), study_pictures(results), out)
        print(report)
    if many:
        joint, out = Results.joined(of_each), options.out or default_results()
        with working("drawing and writing the report over all studies"):
            report = write_report(joint, compute_tables(joint), joint_pictures(joint), out)
        print(report)
    return 0


if __name__ == "__main__":
    sys.exit(run_program(main))

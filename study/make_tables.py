"""Program: tables of one or more studies. ``python study/make_tables.py results/a results/b [--out DIR]``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from sea_core.errors import run_program
from sea_core.options import METRICS_HELP, Parser
from sea_core.project import default_results


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, write the tables, say where they are."""
    parser = Parser(
        prog="make_tables.py",
        description="Write the tables of one or more studies as CSV (full precision), Markdown and LaTeX (it needs "
        "booktabs and graphicx). Several studies are joined: datasets side by side, with what was published for "
        "them. Studies of one dataset that were run on different data are refused. Nothing is trained.",
    )
    parser.add_argument("studies", nargs="+", type=Path, metavar="STUDY", help="study folder: results/lfm2k-search")
    parser.add_argument("--out", type=Path, help="default: STUDY/tables of one study, results/tables of several")
    parser.add_argument("--metrics", nargs="+", metavar="METRIC", help=METRICS_HELP)
    options = parser.parse_args(arguments)
    # Pandas and torch take a second or two to import, which --help and mistyped options need not wait for.
    from sea_core.working import working
    from study.analysis.results import Results
    from study.records.study import load_study
    from study.reporting.tables.write import compute_tables, write_tables

    folders = list(dict.fromkeys(options.studies))
    out = options.out or (folders[0] / "tables" if len(folders) == 1 else default_results() / "tables")
    with working("computing comparisons and tables"):
        results = Results([load_study(folder) for folder in folders], metrics=options.metrics)
        written = write_tables(compute_tables(results), out)
    names = [path.stem for path in written if path.suffix == ".csv"]
    print(f"{', '.join(names) or 'no table: no study has results yet'} in {out} (csv, md, tex)")
    return 0


if __name__ == "__main__":
    sys.exit(run_program(main))

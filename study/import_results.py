"""Program: results of a program elsewhere beside a study's own. ``python study/import_results.py STUDY FILE.yaml``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from sea_core.errors import run_program
from sea_core.options import Parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, keep the results, and write tables, figures and report again."""
    parser = Parser(
        prog="import_results.py",
        description="Put per-user test results of another program beside a finished study: a row in its tables, "
        "paired user by user, and a sentence in its report, marked as imported. Each YAML file has name, title, "
        "results (a CSV or Parquet file with user, seed and metrics), split_hash and why. Results of other users, "
        "another split or other metrics are refused. Nothing is trained.",
    )
    parser.add_argument("study", type=Path, metavar="STUDY", help="study folder: results/lfm2k-search")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="YAML file that describes the results")
    parser.add_argument("--replace", action="store_true", help="take the place of other results of that name")
    options = parser.parse_args(arguments)
    # Pandas, torch and matplotlib take seconds to import, which --help and mistyped options need not wait for.
    from sea_core.working import working
    from study.api.imports import add_results
    from study.records.study import load_study

    study = load_study(options.study)
    with working("computing tables, figures and report"):
        given = add_results(study, *options.files, replace=options.replace)
    for results in given:
        count = len(results.by_seed)
        print(f"{results.title}: {count} seed{'' if count == 1 else 's'} from {results.source}")
    print(f"tables: {study.folder.tables}; report: {study.folder.root / 'report.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(run_program(main))

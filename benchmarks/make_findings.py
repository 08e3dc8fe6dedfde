"""Program: docs/findings.md, from its template and the tables of the gallery. ``make_findings.py [--check]``.

No number is typed: the template names a table, a row and a column, and the program reads it off the CSV file. It fails
if there is no such row, or if a digit or the words of a verdict stand in the template's own text. What an arm shows is
said by the sentences of the report, so that none is stronger than its verdict.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.commands import ROOT
from sea_core.errors import UserError, run_program

DOCS = ROOT / "docs"


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks/make_findings.py", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if the page is not what would be made"
    )
    parser.add_argument("--docs", type=Path, default=DOCS, metavar="DIR", help="of template, gallery and page")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the page, or compare it."""
    options = make_parser().parse_args(arguments)
    # Pandas takes a second to import, which --help need not wait for.
    from benchmarks.findings import make_page

    page = options.docs / "findings.md"
    made = make_page(options.docs / "findings.jinja", options.docs / "gallery")
    if not options.check:
        page.write_text(made, encoding="utf-8")
        print(page)
        return 0
    old = page.read_text(encoding="utf-8") if page.exists() else ""
    if old != made:
        changes = difflib.unified_diff(old.splitlines(), made.splitlines(), str(page), "as made now", lineterm="", n=0)
        raise UserError("\n".join([f"{page} is not what the gallery's tables say; run make findings", *changes]))
    return 0


if __name__ == "__main__":
    sys.exit(run_program(main))

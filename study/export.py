"""Program: the config that a study chose, as a config file. ``python study/export.py results/<study> > best.yaml``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from sea_core.errors import run_program
from sea_core.options import Parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the config as YAML."""
    parser = Parser(
        prog="export.py",
        description="Print the config that a study chose, as YAML that --config takes: the winner's, or the best "
        "trial's where no winner was selected. Nothing is trained or written.",
        epilog="example: export.py results/lfm2k-search > best.yaml, then python -m sea_core train --config best.yaml",
    )
    parser.add_argument("study", type=Path, metavar="STUDY", help="study folder: results/synthetic-search")
    parser.add_argument("--trial", type=int, metavar="N", help="this trial's config (default: the winner's)")
    options = parser.parse_args(arguments)
    # Pandas and torch take a second or two to import, which --help and mistyped options need not wait for.
    from study.records.config_text import config_text
    from study.records.study import load_study

    print(config_text(load_study(options.study), trial=options.trial), end="")
    return 0


if __name__ == "__main__":
    sys.exit(run_program(main))

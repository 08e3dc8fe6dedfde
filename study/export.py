"""Program: the config that a study chose, as a config file. ``python study/export.py results/<study>``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from sea_core.errors import UserError, run_program
from sea_core.options import Parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Print or write the config as YAML."""
    parser = Parser(
        prog="export.py",
        description="Print the config that a study chose, as YAML that --config takes: the winner's, or the best "
        "trial's where no winner was selected. Nothing is trained.",
        epilog="example: export.py results/lfm2k-search --out best.yaml\n"
        "then:    python -m sea_core train -d lfm2k --config best.yaml",
    )
    parser.add_argument("study", type=Path, metavar="STUDY", help="study folder: results/synthetic-search")
    parser.add_argument("--trial", type=int, metavar="N", help="this trial's config (default: the winner's)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write it there (default: print it)")
    options = parser.parse_args(arguments)
    # Pandas and torch take a second or two to import, which --help and mistyped options need not wait for.
    from sea_core.files import write_atomically
    from study.records.config_text import config_text
    from study.records.study import load_study

    text = config_text(load_study(options.study), trial=options.trial)
    if options.out is None:
        print(text, end="")
        return 0
    try:
        write_atomically(options.out, text.encode())
    except OSError as error:
        raise UserError(f"cannot write {options.out}: {error.strerror}; name a file in a folder that exists") from None
    print(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(run_program(main))

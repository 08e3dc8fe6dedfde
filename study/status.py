"""Program: how a study stands, also while it runs. ``python study/status.py results/<study>``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from sea_core.errors import run_program
from sea_core.options import Parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is done, what is going on, and who drives it."""
    parser = Parser(
        prog="status.py",
        description="Show how a study stands: who drives it, trials done and running, the best so far, and how far its "
        "final runs and ablations are. It only reads, so it can be called while the study runs.",
    )
    parser.add_argument("study", type=Path, help="study folder: results/lfm2k-search")
    parser.add_argument("--storage", metavar="URL", help="if the study was made with --storage (default: its study.db)")
    options = parser.parse_args(arguments)
    # Optuna takes a second to import, which --help and mistyped options need not wait for.
    import optuna

    from study.verification.status_report import status

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print("\n".join(status(options.study, storage=options.storage)))
    return 0


if __name__ == "__main__":
    sys.exit(run_program(main))

"""``python -m sea_core``: train once, or look at data and models."""

from __future__ import annotations

import sys
from typing import Any

from sea_core.errors import run_program
from sea_core.models_command import add_models_parser
from sea_core.options import Parser
from sea_core.train_command import add_train_parser


def main() -> int:
    """Parse the command line and run the command."""
    parser = Parser(
        prog="python -m sea_core",
        description="SEA, a multimodal graph recommender, and its rivals: train one once, or look at data. "
        "Studies over many configs start with study/run_search.py.",
    )
    subparsers: Any = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_train_parser(subparsers)
    if "data" in sys.argv:
        from sea_core.data.commands import add_data_parser  # torch takes seconds, which train --help need not wait for

        add_data_parser(subparsers)
    else:
        subparsers.add_parser("data", help="list, describe, fetch, prepare and check datasets")
    add_models_parser(subparsers)
    arguments = parser.parse_args()
    result: int = arguments.run(arguments)
    return result


if __name__ == "__main__":
    sys.exit(run_program(main))

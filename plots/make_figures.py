"""Program: figures of one or more studies. ``python plots/make_figures.py results/<study> [--only NAME ...]``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from plots.lib.draw_all import FILES, WriteLine, write_all
from plots.lib.figure import FigureFile
from plots.lib.figures import FIGURES, JOINT_FIGURES
from sea_core.errors import UserError, run_program, suggest
from sea_core.options import METRICS_HELP, Parser
from sea_core.project import default_results
from sea_core.working import working
from study.analysis.results import Results
from study.records.study import load_study


def make_figures(folder: Path, *, only: Sequence[str] | None = None, write_line: WriteLine = print) -> list[Path]:
    """Draw the figures of a study folder into its ``figures``: PDF and PNG, each with the CSV it was drawn from.

    Args:
        folder: a study folder (``results/<study>``).
        only: names of figures; default all. A figure whose records are missing is skipped.
        write_line: takes one line about each figure that was skipped.

    Returns:
        The files written.

    Raises:
        UserError: no study there, an unknown figure, a test result without its receipt, or an unwritable folder.
    """
    chosen = _choose(FIGURES, only)
    return write_all(chosen, Results([load_study(folder)]), folder / "figures", write_line=write_line)


def make_joint_figures(
    folders: Sequence[Path], out: Path, *, only: Sequence[str] | None = None, write_line: WriteLine = print
) -> list[Path]:
    """Draw what compares several studies, one per dataset, into ``out``; otherwise as ``make_figures``."""
    chosen = _choose(JOINT_FIGURES, only)
    return write_all(chosen, Results([load_study(folder) for folder in folders]), out, write_line=write_line)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, draw, say what was written."""
    parser = Parser(
        prog="make_figures.py",
        description="Draw the figures of a study as PDF and PNG, each with the CSV it was drawn from. Several studies "
        "get the figures that compare them. Nothing is trained. docs/figures.md says how to read them.",
        epilog=f"Figures of one study: {', '.join(FIGURES)}. Of several: {', '.join(JOINT_FIGURES)}.",
    )
    parser.add_argument("studies", nargs="+", type=Path, metavar="STUDY", help="study folder: results/synthetic-search")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="draw only these figures (default: all)")
    parser.add_argument("--out", type=Path, help="default: STUDY/figures of one study, results/figures of several")
    parser.add_argument("--metrics", nargs="+", metavar="METRIC", help=METRICS_HELP)
    options = parser.parse_args(arguments)
    folders = list(dict.fromkeys(options.studies))
    one = len(folders) == 1
    out = options.out or (folders[0] / "figures" if one else default_results() / "figures")
    chosen = _choose(FIGURES if one else JOINT_FIGURES, options.only)
    with working("drawing figures"):
        results = Results([load_study(folder) for folder in folders], metrics=options.metrics)
        written = write_all(chosen, results, out, write_line=print)
    count = len(written) // len(FILES)
    print(f"{count} figure{'' if count == 1 else 's'} in {out} (pdf, png, csv)" if count else "no figure was written")
    # Of all figures some are always skipped; one that was named and is not there is a failure.
    return 1 if options.only and count < len(dict.fromkeys(options.only)) else 0


def _choose(figures: Mapping[str, FigureFile], only: Sequence[str] | None) -> dict[str, FigureFile]:
    names = list(figures) if only is None else list(dict.fromkeys(only))
    for name in names:
        if name not in figures:
            raise UserError(f"unknown figure '{name}'{suggest(name, figures)}")
    return {name: figures[name] for name in names}


if __name__ == "__main__":
    sys.exit(run_program(main))

"""Program: draw a study's figures. ``python plots/make_figures.py results/<study> [--only NAME ...]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from plots.figure import MissingRecordsError, render
from plots.figures import FIGURES
from sea_core.errors import UserError, run_program, suggest
from study.records import load_study


def make_figures(folder: Path, *, only: Sequence[str] | None = None, say: Callable[[str], None] = print) -> list[Path]:
    """Draw the figures of a study folder as PDF and PNG, each with the CSV it was drawn from.

    Args:
        folder: a study folder (``results/<study>``); the files go into its ``figures`` folder.
        only: names of figures; default all. A figure whose records are missing is skipped.
        say: takes one line about each figure that was skipped.

    Returns:
        The files written.

    Raises:
        UserError: no study there, an unknown figure, or a folder that cannot be written.
    """
    names = list(FIGURES) if only is None else list(dict.fromkeys(only))
    for name in names:
        if name not in FIGURES:
            raise UserError(f"unknown figure '{name}'{suggest(name, FIGURES)}")
    study = load_study(folder)
    written = []
    for name in names:
        try:
            info = FIGURES[name].compute(study)
        except MissingRecordsError as reason:
            say(f"figure {name} skipped: {reason}")
            continue
        files = render(FIGURES[name], info, ("pdf", "png"))
        # pandas writes the shortest text that reads back as the same number.
        files["csv"] = info.data.to_csv(index=False, lineterminator="\n").encode()
        written += [_write(folder / "figures" / f"{name}.{suffix}", content) for suffix, content in files.items()]
    return written


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, draw, say what was written."""
    parser = argparse.ArgumentParser(
        prog="make_figures.py",
        description="Draw the figures of a study: PDF and PNG, each with the CSV it was drawn from.",
        epilog=f"Figures: {', '.join(FIGURES)}. They are described in docs/figures.md.",
    )
    parser.add_argument("study", type=Path, help="study folder, for example results/synthetic-search")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="draw only these figures (default: all)")
    options = parser.parse_args(arguments)
    written = make_figures(options.study, only=options.only)
    count = len(written) // 3
    print(f"{count} figure{'' if count == 1 else 's'} in {options.study / 'figures'} (pdf, png, csv)")
    return 0


def _write(path: Path, content: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; expected a writable folder") from None
    return path


if __name__ == "__main__":
    sys.exit(run_program(main))

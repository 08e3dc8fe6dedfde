"""Many figures of one study, or of several: each is computed and laid out once, whatever formats it is wanted in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from plots.lib.figure import FigureFile, MissingRecordsError, render
from sea_core.errors import UserError
from sea_core.files import write_atomically
from sea_core.plugins import plugin_errors_explained
from study.analysis.results import Results
from study.records.folder import make_writable, remove_outdated

WriteLine = Callable[[str], None]
FILES = ("pdf", "png", "csv")
_PARTS = ("TITLE", "CAPTION", "compute", "size", "draw")


class Drawn(NamedTuple):
    """One figure; ``files`` has its bytes by format."""

    name: str
    module: FigureFile
    files: Mapping[str, bytes]

    def __repr__(self) -> str:
        return f"figure {self.name} ({', '.join(self.files)})"

    def _repr_png_(self) -> bytes | None:
        """How a notebook shows it."""
        return self.files.get("png")


def draw_all(
    figures: Mapping[str, FigureFile],
    results: Results,
    formats: Sequence[str],
    *,
    write_line: WriteLine = lambda line: None,
) -> Iterator[Drawn]:
    """Draw the figures that the results allow.

    Args:
        figures: name -> module.
        results: of one study, or of several for figures that compare them.
        formats: of ``pdf``, ``png``, ``svg`` and ``csv``.
        write_line: takes one line about each figure that is skipped.

    Raises:
        UserError: a damaged file of a run, or a plugin's figure that fails.
    """
    for name, module in figures.items():
        if lacking := [part for part in _PARTS if not hasattr(module, part)]:
            raise UserError(f"figure '{name}' lacks {', '.join(lacking)}; plots/lib/figure.py says what a figure holds")
        with plugin_errors_explained():
            try:
                info = module.compute(results)
            except MissingRecordsError as reason:
                write_line(f"figure {name} skipped: {reason}")
                continue
            files = render(module, info, [suffix for suffix in formats if suffix != "csv"])
        if "csv" in formats:
            # pandas writes the shortest text that reads back as the same number.
            files["csv"] = info.data.to_csv(index=False, lineterminator="\n").encode()
        yield Drawn(name, module, files)


def write_drawn(drawn: Drawn, out: Path) -> list[Path]:
    """Write the figure's PDF, PNG and CSV.

    Raises:
        UserError: an unwritable folder.
    """
    make_writable(out)
    paths = [out / f"{drawn.name}.{suffix}" for suffix in FILES]
    for path, suffix in zip(paths, FILES, strict=True):
        write_atomically(path, drawn.files[suffix])
    return paths


def write_all(figures: Mapping[str, FigureFile], results: Results, out: Path, *, write_line: WriteLine) -> list[Path]:
    """Draw and write, and remove those of ``figures`` that earlier records allowed; returns the files."""
    drawn = list(draw_all(figures, results, FILES, write_line=write_line))
    remove_outdated(out, figures.keys() - {each.name for each in drawn}, FILES)
    return [path for each in drawn for path in write_drawn(each, out)]

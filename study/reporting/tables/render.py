"""A table as CSV (full precision), Markdown, LaTeX (booktabs) and plain text; equal tables give equal bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from sea_core.files import write_atomically
from study.reporting.tables.table import Cell, Number, Table

TERMINAL = 80  # columns
_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"{\char34}",
    # At the start of a row, a bare one would be read as an argument of the line break before it.
    "[": "{[}",
    "*": "{*}",
    "±": r"$\pm$",
    "²": r"\textsuperscript{2}",
    "Δ": r"$\Delta$",
    "×": r"$\times$",
    "−": r"$-$",
    "§": r"\S{}",
    "†": r"\dag{}",
    "‡": r"\ddag{}",
    "–": "--",
    "…": r"\ldots{}",
}
_NUMERIC = re.compile(r"(< )?[+-]?\.?\d[\d.e+-]*( \[.*\])?")
_MARKDOWN = re.compile(r"([\\`*_\[\]|#~$!])")

FORMATS = ("csv", "md", "tex")


def write_table(table: Table, folder: Path) -> list[Path]:
    """Write ``<name>.csv``, ``<name>.md`` and ``<name>.tex``; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{table.name}.{suffix}" for suffix in FORMATS]
    for path, to_text in zip(paths, (to_csv, to_markdown, to_latex), strict=True):
        write_atomically(path, to_text(table).encode())
    return paths


def to_csv(table: Table) -> str:
    """The frame, every float in the shortest form that reads back to the same bits."""
    return table.frame.to_csv(index=False, lineterminator="\n")


def to_markdown(table: Table) -> str:
    """A pipe table with the caption above and the notes below; group titles go before their columns' titles."""
    spans = [""] * (len(table.columns) - sum(count for _, count in table.groups))
    spans += [title for title, count in table.groups for _ in range(count)]
    header = [escape_markdown(f"{span} {column}") for span, column in zip(spans, table.columns, strict=True)]
    rule = [":--" if text else "--:" for text in text_columns(table)]
    lines = [escape_markdown(table.caption), "", _pipes(header), _pipes(rule)]
    lines += [_pipes([_markdown_cell(cell) for cell in row]) for row in table.rows]
    for note in table.notes:
        lines += ["", escape_markdown(note)]
    return "\n".join(lines) + "\n"


def to_latex(table: Table) -> str:
    """A ``table`` environment, shrunk if it is wider than the line; the document needs booktabs and graphicx."""
    lines = [
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{escape_latex(table.caption)}}}",
        rf"  \label{{tab:{re.sub('[^A-Za-z0-9-]', '-', table.name)}}}",
        r"  \resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"  \begin{{tabular}}{{{''.join('l' if text else 'r' for text in text_columns(table))}}}",
        r"    \toprule",
    ]
    if table.groups:
        first = len(table.columns) - sum(count for _, count in table.groups)
        titles, rules, start = [""] * first, "", first + 1
        for title, count in table.groups:
            titles.append(rf"\multicolumn{{{count}}}{{c}}{{{escape_latex(title)}}}")
            rules += rf" \cmidrule(lr){{{start}-{start + count - 1}}}"
            start += count
        lines += [_ampersands(titles), f"   {rules}"]
    lines += [_ampersands([escape_latex(column) for column in table.columns]), r"    \midrule"]
    for index, row in enumerate(table.rows):
        lines += [r"    \midrule"] if index in table.rules and index > 0 else []
        lines.append(_ampersands([_latex_cell(cell) for cell in row]))
    lines += [r"    \bottomrule", r"  \end{tabular}%", r"  }"]
    lines += [rf"  \par\smallskip\footnotesize {escape_latex(note)}" for note in table.notes]
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def to_text(table: Table, *, width: int = TERMINAL) -> str:
    """Aligned columns for a terminal; best and second are not marked, group titles are cut to their columns.

    What is wider than ``width`` becomes several blocks below each other, each with the row labels; notes are wrapped.
    """
    lines = [list(table.columns), *([_plain_cell(cell) for cell in row] for row in table.rows)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    text = [_text_block(table, lines, widths, block) for block in _blocks(widths, width)]
    notes = [line.rstrip() for note in table.notes for line in _printed(Text(note), width)]
    return "\n".join(["\n\n".join(text), *notes]) + "\n"


def _blocks(widths: Sequence[int], width: int) -> list[list[int]]:
    """Which columns stand beside each other: as many as fit, shared evenly, always after the first."""
    columns, fit = list(range(1, len(widths))), 0
    for count in range(1, len(columns) + 1):
        parts = [columns[start : start + count] for start in range(0, len(columns), count)]
        if all(widths[0] + sum(widths[column] + 2 for column in part) <= width for part in parts):
            fit = count
    fit = max(fit, 1)
    fit = -(-len(columns) // -(-len(columns) // fit)) if columns else 1
    return [columns[start : start + fit] for start in range(0, len(columns), fit)] or [[]]


def _text_block(table: Table, lines: Sequence[Sequence[str]], widths: Sequence[int], block: Sequence[int]) -> str:
    """Row labels and some of the columns, with what of the groups' titles stands above these."""
    shown, words = [0, *block], text_columns(table)
    grid = RichTable(box=None, pad_edge=False, show_header=False)
    for column in shown:
        grid.add_column(justify="left" if words[column] else "right", no_wrap=True, min_width=widths[column])
    for line in lines:
        grid.add_row(*(Text(line[column]) for column in shown))
    text = [line.rstrip() for line in _printed(grid, sum(widths[column] + 2 for column in shown))]
    if table.groups:
        grouped = len(widths) - sum(count for _, count in table.groups)
        heading = " " * (sum(widths[column] + 2 for column in shown if column < grouped) - 2)
        for title, count in table.groups:
            below = [column for column in block if grouped <= column < grouped + count]
            grouped += count
            if below:
                heading += "  " + _left(title, sum(widths[column] + 2 for column in below) - 2)
        text.insert(0, heading.rstrip())
    return "\n".join(text)


def _printed(shown: RenderableType, width: int) -> list[str]:
    """What rich makes of it, as plain lines."""
    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False, force_jupyter=False)
    with console.capture() as captured:
        console.print(shown)
    return captured.get().splitlines()


def text_columns(table: Table) -> list[bool]:
    """Which columns hold words and so align to the left: the first, and those with words and no number."""
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    return [
        n == 0 or (set(column) - {"", "–"} != set() and not any(map(_is_number, column)))
        for n, column in enumerate(columns)
    ]


class Parts(NamedTuple):
    """A number's cell as separate texts, for a page that lays them out itself; empty where there is nothing."""

    value: str
    sd: str = ""
    stars: str = ""
    interval: str = ""


def cell_parts(cell: Cell) -> Parts:
    """What is shown of a cell, rounded as in every other form of the table."""
    if isinstance(cell, str):
        return Parts(" ".join(cell.split()))
    value = f"{_format(cell, cell.value)}{cell.unit}"
    return Parts(value, _spread(cell, "±").strip(), cell.stars, _interval(cell, "[{}, {}]").strip())


def escape_markdown(text: str) -> str:
    """Text that Markdown shows as it is, in one line; HTML is shown, never interpreted."""
    text = _MARKDOWN.sub(r"\\\1", " ".join(text.split()))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape_latex(text: str) -> str:
    """Text that LaTeX sets as it is, in one line; characters it has no letter for become their code points."""
    return "".join(_latex_character(character) for character in " ".join(text.split()))


def _latex_character(character: str) -> str:
    if character in _LATEX:
        return _LATEX[character]
    if " " <= character <= "~" or ("À" <= character <= "ÿ" and character not in "ÐÞðþ÷"):
        return character
    return f"{{[}}U+{ord(character):04X}]"


def _pipes(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _ampersands(cells: Sequence[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"


def _markdown_cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return escape_markdown(cell)
    value = f"{_format(cell, cell.value)}{cell.unit}"
    value = {1: f"**{value}**", 2: f"<ins>{value}</ins>"}.get(cell.rank, value)
    return f"{value}{_spread(cell, '±')}{escape_markdown(cell.stars)}{_interval(cell, '[{}, {}]')}"


def _plain_cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return " ".join(cell.split())
    return f"{_format(cell, cell.value)}{cell.unit}{_spread(cell, '±')}{cell.stars}{_interval(cell, '[{}, {}]')}"


def _latex_cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return escape_latex(cell)
    value = f"{_format(cell, cell.value)}{escape_latex(cell.unit)}"
    value = {1: rf"\mathbf{{{value}}}", 2: rf"\underline{{{value}}}"}.get(cell.rank, value)
    stars = f"^{{{cell.stars}}}" if cell.stars else ""
    interval, sign = _interval(cell, r"\;[{}, {}]"), r"\pm"
    return f"${value}{_spread(cell, sign)}{stars}{interval}$"


def _is_number(cell: Cell) -> bool:
    """A number, or a text that is read as one: a count, ``.023``, ``< .001``, ``0.12 [0.05, 0.30]``."""
    return isinstance(cell, Number) or _NUMERIC.fullmatch(cell) is not None


def _left(text: str, width: int) -> str:
    return (text if len(text) <= width else f"{text[: width - 1]}…").ljust(width)


def _spread(cell: Number, sign: str) -> str:
    return "" if cell.sd is None else f" {sign} {cell.sd:.{cell.decimals}f}"


def _interval(cell: Number, form: str) -> str:
    if cell.interval is None:
        return ""
    return " " + form.format(*(_format(cell, bound) for bound in cell.interval))


def _format(cell: Number, value: float) -> str:
    text = f"{value:{'+' if cell.signed else ''}.{cell.decimals}f}"
    return text.lstrip("+-") if float(text) == 0 else text  # no -0.0000

"""Tables as text: escaped, exact and byte-deterministic."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from study.reporting.tables import render
from study.reporting.tables.render import (
    escape_latex,
    escape_markdown,
    to_csv,
    to_latex,
    to_markdown,
    to_text,
    write_table,
)
from study.reporting.tables.table import Number, Table, mark_best

HOSTILE = 'a_b & 50% $x$ #1 {y} ~ ^ \\end{table} [z] | <script>alert(1)</script> "q" `c` *b* é € 项'


def a_table(**changes: object) -> Table:
    table = Table(
        name="overall",
        caption="Recall on one dataset.",
        columns=["Method", "Recall@20", "NDCG@20"],
        groups=[("baby", 2)],
        rows=[
            ["Popularity", Number(0.05), Number(0.02)],
            [
                "SEA",
                Number(0.10334, sd=0.00121, rank=1, stars="**"),
                Number(-0.0012, interval=(-0.002, 0.0003), signed=True),
            ],
        ],
        rules=[1],
        frame=pd.DataFrame({"method": ["Popularity", "SEA"], "value": [0.1 + 0.2, 1 / 3]}),
        notes=["Two seeds."],
    )
    return table._replace(**changes)  # type: ignore[arg-type]


def test_markdown_shows_best_bold_with_sd_and_stars() -> None:
    lines = to_markdown(a_table()).splitlines()
    assert lines == [
        "Recall on one dataset.",
        "",
        "| Method | baby Recall@20 | baby NDCG@20 |",
        "| :-- | --: | --: |",
        "| Popularity | 0.0500 | 0.0200 |",
        r"| SEA | **0.1033** ± 0.0012\*\* | -0.0012 [-0.0020, +0.0003] |",
        "",
        "Two seeds.",
    ]


def test_latex_is_booktabs_with_grouped_columns() -> None:
    lines = [line.strip() for line in to_latex(a_table()).splitlines()]
    assert lines[4:18] == [
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        r"\begin{tabular}{lrr}",
        r"\toprule",
        r"& \multicolumn{2}{c}{baby} \\",
        r"\cmidrule(lr){2-3}",
        r"Method & Recall@20 & NDCG@20 \\",
        r"\midrule",
        r"Popularity & $0.0500$ & $0.0200$ \\",
        r"\midrule",
        r"SEA & $\mathbf{0.1033} \pm 0.0012^{**}$ & $-0.0012 \;[-0.0020, +0.0003]$ \\",
        r"\bottomrule",
        r"\end{tabular}%",
        r"}",
        r"\par\smallskip\footnotesize Two seeds.",
    ]


def test_latex_sets_every_character_that_the_tables_use() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path(render.__file__).parent.glob("*.py"))
    used = {character for character in source if ord(character) > 126} - set("ÀÿÐÞðþ÷")  # render.py's own examples
    assert {character for character in used if "U+" in escape_latex(character)} == set()


def test_columns_of_words_align_to_the_left_in_every_form() -> None:
    rows = [["a", "search", "30", "< .001", "–"], ["b", "w/o CLUB: search", "3", ".023", "–"]]
    table = a_table(columns=["Study", "Part", "Runs", "p", "MDE"], groups=[], rows=rows, notes=[])
    assert "| :-- | :-- | --: | --: | --: |" in to_markdown(table)
    assert r"\begin{tabular}{llrrr}" in to_latex(table)
    assert to_text(table).splitlines()[:2] == [
        "Study  Part              Runs       p  MDE",
        "a      search              30  < .001    –",
    ]


def test_text_aligns_columns_and_cuts_long_titles() -> None:
    assert to_text(a_table(groups=[("a dataset with a name that is wider than its two columns", 2)])).splitlines() == [
        "            a dataset with a name that is wider than its…",
        "Method              Recall@20                     NDCG@20",
        "Popularity             0.0500                      0.0200",
        "SEA         0.1033 ± 0.0012**  -0.0012 [-0.0020, +0.0003]",
        "Two seeds.",
    ]


def test_a_table_too_wide_for_a_terminal_becomes_blocks_of_columns_with_the_row_labels() -> None:
    wide = Number(-0.0012, interval=(-0.002, 0.0003), signed=True)
    columns = ["Arm", "Recall@10", "Recall@20", "NDCG@10", "NDCG@20"]
    note = "A note that is longer than a terminal is wide, as those about intervals and seeds that agree always are."
    table = a_table(columns=columns, groups=[("lfm2k", 4)], rows=[["w/o both", *[wide] * 4]], notes=[note])
    shown = to_text(table)
    assert max(map(len, shown.splitlines())) <= 80
    assert shown.count("w/o both") == 2
    assert shown.count("lfm2k") == 2
    assert [line.split() for line in shown.splitlines() if "@" in line] == [
        ["Arm", *columns[1:3]],
        ["Arm", *columns[3:]],
    ]
    assert " ".join(shown.split()).endswith(note)
    assert len(to_text(table, width=200).splitlines()) == 4


def test_no_zero_has_a_sign() -> None:
    assert "| 0.0000 |" in to_markdown(a_table(groups=[], columns=["m", "v"], rows=[["a", Number(-1e-9, signed=True)]]))


def test_csv_reads_back_to_the_same_bits() -> None:
    table = a_table()
    read = pd.read_csv(io.StringIO(to_csv(table)))
    pd.testing.assert_frame_equal(read, table.frame, check_exact=True)


def test_second_best_is_underlined_and_equal_values_share_a_mark() -> None:
    rows = mark_best([["a", Number(1.0)], ["b", Number(3.0)], ["c", Number(3.0)], ["d", Number(2.0)]], among=range(4))
    assert [row[1].rank for row in rows if isinstance(row[1], Number)] == [0, 1, 1, 2]
    assert "<ins>2.0000</ins>" in to_markdown(a_table(columns=["m", "v"], groups=[], rows=rows))
    assert r"\underline{2.0000}" in to_latex(a_table(columns=["m", "v"], groups=[], rows=rows))


def test_rows_outside_the_comparison_are_never_marked() -> None:
    rows = mark_best(
        [["published", Number(9.0)], ["a", Number(1.0)], ["b", Number(float("nan"))], ["c", "failed"]], among=[1, 2, 3]
    )
    assert [row[1].rank for row in rows if isinstance(row[1], Number)] == [0, 0, 0]  # one value alone is not a best


def test_a_cell_that_opens_with_a_bracket_is_no_argument_of_the_line_break() -> None:
    for label in ("[1pt]", "項"):
        assert r"    [" not in to_latex(a_table(rows=[[label, "x", "y"]]))


@settings(deadline=None)
@given(text=st.text())
@example(text=HOSTILE)
def test_escaped_text_holds_no_active_character(text: str) -> None:
    latex = escape_latex(text)
    for command in (
        *(
            r"\textbackslash{}",
            r"\textasciitilde{}",
            r"\textasciicircum{}",
            r"\textless{}",
            r"\textgreater{}",
            r"\textbar{}",
        ),
        *(
            r"\&",
            r"\%",
            r"\$",
            r"\#",
            r"\_",
            r"\{",
            r"\}",
            r"{\char34}",
            r"$\pm$",
            r"$\Delta$",
            r"$\times$",
            r"$-$",
            r"\S{}",
            r"\dag{}",
            r"\textsuperscript{2}",
            r"\ddag{}",
        ),
        *(r"\ldots{}", r"\S{}", "{[}", "{*}"),
    ):
        latex = latex.replace(command, "")
    assert not set(latex) & set('\\&%$#_{}~^<>|"\n\r')
    markdown = escape_markdown(text)
    assert not set(markdown) & set("<>\n\r")
    assert markdown.replace(r"\|", "").count("|") == 0


def test_equal_tables_give_equal_bytes(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in write_table(a_table(), tmp_path / "a")]
    assert [path.read_bytes() for path in write_table(a_table(), tmp_path / "b")] == first
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["overall.csv", "overall.md", "overall.tex"]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
def test_latex_compiles_with_hostile_names(tmp_path: Path) -> None:
    table = a_table(
        caption=HOSTILE,
        notes=[HOSTILE],
        groups=[(HOSTILE, 2)],
        columns=[HOSTILE] * 3,
        rows=[[label, HOSTILE, Number(1.0, unit="%")] for label in ("[x]", "項 x", "Δ x", "* x")],
    )
    wide = a_table(columns=[f"column {n}" for n in range(30)], groups=[], rows=[["a row", *[Number(0.5)] * 29]])
    body = to_latex(table) + to_latex(a_table()) + to_latex(wide)
    source = rf"\documentclass{{article}}\usepackage{{booktabs,graphicx}}\begin{{document}}{body}\end{{document}}"
    (tmp_path / "t.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-no-shell-escape", "-interaction=nonstopmode", "t.tex"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout[-2000:]
    assert "pt too wide" not in result.stdout

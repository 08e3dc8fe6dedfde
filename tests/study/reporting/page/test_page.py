"""What the page holds: every table's cells lead to their runs, names are escaped, equal studies give equal bytes."""

import base64
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from sea_core.errors import UserError
from study.analysis.results import Results
from study.records.study import load_study
from study.reporting.page.compute import compute
from study.reporting.page.html_tables import TITLES, html_table
from study.reporting.page.page import HtmlTable, Page, Picture
from study.reporting.page.render import render
from study.reporting.page.write import write_report
from study.reporting.tables.registry import TABLES
from study.reporting.tables.table import Number, Table
from study.reporting.tables.write import compute_tables
from tests.study.results import write_arms, write_search

HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"


def page_of(root: Path) -> Page:
    return pages_of(root)


def pages_of(*roots: Path, pictures: Sequence[Picture] = (), folder: Path | None = None) -> Page:
    results = Results([load_study(root) for root in roots])
    return compute(results, compute_tables(results), pictures, folder or roots[0])


def write_page(root: Path, out: Path, pictures: Sequence[Picture] = ()) -> Path:
    results = Results([load_study(root)])
    return write_report(results, compute_tables(results), pictures, out)


def table_of(page: Page, name: str) -> HtmlTable:
    return next(table for table in (*page.key_tables, *page.tables) if table.name == name)


def test_every_shipped_table_has_a_heading_of_words() -> None:
    shipped = {name for name, compute_one in TABLES.items() if compute_one.__module__.startswith("study.")}
    assert shipped - TITLES.keys() == set()


def test_the_runs_behind_a_mean_stand_below_it_with_their_own_values(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    rows = [row for block in table_of(page_of(root), "overall").blocks for row in block.rows]
    sea = next(row for row in rows if row.cells[0].value == "SEA")
    assert sea.cells[2].value == "0.3100"
    assert [source.link.text for source in sea.sources] == ["trial 0, seed 11", "trial 0, seed 12"]
    assert [source.cells[1] for source in sea.sources] == ["0.3000", "0.3200"]
    assert sea.sources[0].link.href == "./final/winner/seed-11/record.json"
    popularity = next(row for row in rows if row.cells[0].value == "Popularity")
    assert popularity.name_href == "./final/baselines/popularity/record.json"


def test_every_link_leads_to_a_file_and_every_measured_row_has_its_runs(tmp_path: Path) -> None:
    root = write_arms(write_search(tmp_path), {"full": 0.0, "no-club": -0.1, "no-solosim": 0.0, "no-both": 0.0})
    page = page_of(root)
    tables = [*page.key_tables, *page.tables, page.details[0].trials]
    for table in tables:
        assert table is not None
        for block in table.blocks:
            runs = [[*row.sources, *row.links, *[row.name_href] * bool(row.name_href)] for row in block.rows]
            assert any(runs) or table.name == "best-configs", (table.name, block.rows[0].cells[0])
    hrefs = re.findall(r'href="([^"]+)"', render(page))
    links = [unquote(href) for href in hrefs if not href.startswith("data:")]
    assert len(links) > 20
    assert [link for link in links if not (root / link).is_file()] == []


def test_a_row_that_follows_stays_with_its_block() -> None:
    import pandas as pd

    rows = [["b", Number(1.0)], ["Δ", Number(9.0)], ["a", "< .001"], ["c", "–"]]
    table = Table("t", "", ["name", "x"], rows, pd.DataFrame(), follows=[1])
    shown = html_table(table, page_folder=Path(), files=Path("none"))
    assert [[row.cells[0].value for row in block.rows] for block in shown.blocks] == [["b", "Δ"], ["a"], ["c"]]
    keys = [block.rows[0].cells[1].key for block in shown.blocks]
    assert keys[0] == "1.0"
    assert 0 < float(keys[1]) < 0.001
    assert keys[2] == ""  # unknown sorts last


class Texts(HTMLParser):
    """Texts and tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [value for _, value in attrs if value is not None]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_hostile_names_are_shown_and_never_run(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0, "no-club": -0.1}, dataset=HOSTILE, note=HOSTILE)
    for path in root.glob("ablations/frozen/no-club/*/record.json"):
        path.write_text(path.read_text().replace("title of no-club", HOSTILE.replace('"', '\\"')))
    text = render(page_of(root))
    seen = Texts(text)
    assert seen.tags.count("script") == 1
    assert f"Does CLUB matter on {HOSTILE}, and how sure are we?" in seen.texts
    assert HOSTILE in seen.texts  # the arm's title, in its cell
    assert HOSTILE.lower() in seen.attributes  # what its column is sorted by
    assert "<script>alert" not in text


def test_nothing_is_fetched_from_anywhere(tmp_path: Path) -> None:
    text = render(page_of(write_search(tmp_path)))
    assert not re.search(r"(?:https?:)?//[a-z]", re.sub(r"\n//[^\n]*|// [^\n]*", "", text))
    assert "default-src 'none'" in text


def test_equal_studies_give_equal_bytes_and_the_page_lies_in_the_study(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    pictures = [Picture("ablation", "Ablation", "caption & more", b"<svg></svg>", 504, 200)]
    path = write_page(root, root, pictures)
    assert path == root / "report.html"
    first = path.read_bytes()
    assert write_page(root, root, pictures).read_bytes() == first
    assert base64.b64encode(b"<svg></svg>") in first
    assert b"caption &amp; more" in first


def test_several_studies_share_a_page_with_links_to_their_own(tmp_path: Path) -> None:
    roots = [write_search(tmp_path, name=name, dataset=name) for name in ("one", "two")]
    page = pages_of(*roots, folder=tmp_path / "joint")
    assert page.question == "How good is SEA on one and two, and how sure are we?"
    assert [answer.dataset for answer in page.answers] == ["one", "two"]
    assert [link.href for link in page.pages] == ["../one/report.html", "../two/report.html"]
    assert table_of(page, "overall").groups == [("one", 4), ("two", 4)]
    rows = [row for block in table_of(page, "overall").blocks for row in block.rows]
    sea = next(row for row in rows if row.cells[0].value == "SEA")
    shown = [[bool(value) for value in source.cells] for source in sea.sources]
    assert shown == [[True] * 4 + [False] * 4] * 2 + [[False] * 4 + [True] * 4] * 2
    assert render(page).count("<h1>") == 1


def test_a_search_alone_shows_its_map_and_its_parameters_first(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    (root / "final").rename(tmp_path / "elsewhere")
    pictures = [
        Picture(name, name, "Caption.", b"<svg></svg>", 504, 200) for name in ("sensitivity", "heat_map", "convergence")
    ]
    page = pages_of(root, pictures=pictures)
    assert page.key_figure is not None
    assert page.key_figure.name == "heat_map"
    assert [table.name for table in page.key_tables] == ["sensitivity"]
    assert len(page.figures) == 2


def test_an_unwritable_folder_and_a_faulty_provenance_are_the_users_errors(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write in"):
        write_page(root, tmp_path / "file")
    (root / "provenance.json").write_text("{")
    with pytest.raises(UserError, match=r"cannot read .*provenance\.json"):
        write_page(root, root)

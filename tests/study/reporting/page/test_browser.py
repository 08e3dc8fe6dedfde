"""The page in a real browser: silent console, no sideways scrolling, hostile names shown as text, tables that sort."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from plots.lib.pictures import study_pictures
from sea_core.files import write_json
from sea_core.run_folder import RECORD
from study.analysis.results import Results
from study.records.study import load_study
from study.reporting.page.write import write_report
from study.reporting.tables.write import compute_tables
from tests.browser import Browser, open_browser
from tests.plots.tiny_study import write_study

pytestmark = pytest.mark.slow  # draws figures and starts a browser: seconds

HOSTILE = "<img src=x onerror=alert(1)></svg></script>\"'& a name that is much longer than a phone is wide"
COLUMN = "[...document.querySelectorAll('#table-ablation tbody tr.first')].map((row) => row.cells[{n}].dataset.key)"
HEADS = "document.querySelectorAll('#table-ablation thead .columns button')"
RUNS = "document.querySelector('#table-ablation button.runs')"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with an arm, a failure message and a parameter value of hostile names."""
    root = write_study(tmp_path_factory.mktemp("results"), trials=15)
    for path in [*root.glob(f"ablations/frozen/no-club/*/{RECORD}"), root / "trials" / "3" / RECORD]:
        record = json.loads(path.read_text())
        if "arm" in record:
            record["arm_title"] = HOSTILE
        else:
            record["trial"] |= {"state": "failed", "failure": {"kind": HOSTILE, "message": HOSTILE}}
        write_json(path, record)
    results = Results([load_study(root)])
    return write_report(results, compute_tables(results), study_pictures(results), root)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


def open_all(browser: Browser) -> None:
    browser.run("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    browser.run("document.querySelectorAll('button.runs').forEach((each) => each.click())")


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_the_page_never_scrolls_sideways_and_the_console_is_silent(page: Path, browser: Browser, width: int) -> None:
    browser.open(page, width=width)
    for _ in ("folded", "unfolded"):
        assert browser.run("document.documentElement.scrollWidth") == width
        open_all(browser)
    shown = "[...document.querySelectorAll('.picture img')].filter((e) => e.naturalWidth > 0).length"
    assert browser.run(shown) == browser.run("document.querySelectorAll('.picture').length") >= 8
    assert browser.complaints == []
    fetched = [url for url in browser.requests if not url.startswith("data:")]
    assert fetched == [page.resolve().as_uri()]


def test_answer_and_picture_come_before_the_tables_and_the_paragraph_after(page: Path, browser: Browser) -> None:
    browser.open(page, width=1280)
    top = "document.querySelector('{}').getBoundingClientRect().top"
    order = [".answer", ".verdicts", "#answer .picture", "#table-ablation", "#cautions", ".full", "#tables"]
    tops = [browser.run(top.format(selector)) for selector in order]
    assert tops == sorted(tops)
    assert browser.run("document.querySelectorAll('.answer p').length") == 3
    assert tops[1] < 600, "question and answer fit on a screen"


def test_wide_tables_scroll_in_their_own_box_on_a_phone(page: Path, browser: Browser) -> None:
    browser.open(page, width=375)
    box = "document.querySelector('#table-ablation .scroll')"
    assert browser.run(f"{box}.scrollWidth > {box}.clientWidth")
    assert browser.run(f"getComputedStyle({box}).overflowX") == "auto"


def test_hostile_names_are_text_everywhere(page: Path, browser: Browser) -> None:
    browser.open(page, width=1280)
    assert browser.run("document.querySelectorAll('img:not(.picture img), [onerror]').length") == 0
    assert browser.run("document.querySelectorAll('script').length") == 1
    labels = browser.run("[...document.querySelectorAll('#table-ablation tbody th .label')].map((e) => e.textContent)")
    assert HOSTILE in labels
    assert HOSTILE in browser.run("document.querySelector('#study-1-trials .note').textContent")
    assert browser.complaints == []


def test_a_column_sorts_both_ways_and_says_so(page: Path, browser: Browser) -> None:
    browser.open(page, width=1280)
    before = browser.run(COLUMN.format(n=2))
    for direction, reverse in (("descending", True), ("ascending", False)):
        browser.run(f"{HEADS}[2].click()")
        assert browser.run(f"{HEADS}[2].parentElement.ariaSort") == direction
        assert browser.run(COLUMN.format(n=2)) == sorted(before, key=float, reverse=reverse)
    browser.run(f"{HEADS}[0].click()")
    names = browser.run(COLUMN.format(n=0))
    assert names == browser.run(f"{json.dumps(names)}.toSorted((a, b) => a.localeCompare(b))")
    assert browser.run(f"{HEADS}[2].parentElement.ariaSort") is None
    followers = "[...document.querySelectorAll('#table-ablation tbody')].map((body) => body.rows[0].className)"
    assert set(browser.run(followers)) == {"first"}  # a difference stays below its arm


def test_runs_unfold_below_their_row(page: Path, browser: Browser) -> None:
    browser.open(page, width=1280)
    shown = "[...document.querySelectorAll('#table-ablation tr.source')].filter((row) => row.offsetHeight > 0).length"
    counts = [browser.run(shown)]
    for _ in range(2):
        browser.run(f"{RUNS}.click()")
        counts.append(browser.run(shown))
    assert counts == [0, 3, 0]
    assert browser.run(f"{RUNS}.getAttribute('aria-expanded')") == "false"


def test_tables_figures_and_regions_have_names(page: Path, browser: Browser) -> None:
    browser.open(page, width=1280)
    unnamed = (
        "[...document.querySelectorAll('table, [role=region]')].filter((e) => !e.ariaLabel).length"
        " + [...document.querySelectorAll('img')].filter((e) => !e.alt || !document.getElementById("
        "e.getAttribute('aria-describedby'))?.textContent).length"
        " + [...document.querySelectorAll('th')].filter((e) => !e.scope).length"
    )
    assert browser.run(unnamed) == 0
    ids = browser.run("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids)), "ids of several figures clash"


@pytest.mark.parametrize(("dark", "media"), [(False, "screen"), (True, "screen"), (False, "print")])
def test_text_stands_out_from_its_ground(page: Path, browser: Browser, *, dark: bool, media: str) -> None:
    browser.open(page, width=760, dark=dark, media=media)
    lightness = "((c) => c.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0) / 765)"
    style = "getComputedStyle(document.body)"
    text, ground = (browser.run(f"{lightness}({style}.{name})") for name in ("color", "backgroundColor"))
    assert (text - ground > 0.6) if dark else (ground - text > 0.6)
    assert browser.run("document.documentElement.scrollWidth") == 760


def test_printing_unfolds_what_is_folded_and_folds_it_again(page: Path, browser: Browser) -> None:
    browser.open(page, width=760)
    folded = "document.querySelectorAll('details:not([open])').length"
    before = browser.run(folded)
    assert before > 3
    browser.run("dispatchEvent(new Event('beforeprint'))")
    assert browser.run(folded) == 0
    browser.run("dispatchEvent(new Event('afterprint'))")
    assert browser.run(folded) == before

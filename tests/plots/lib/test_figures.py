"""What every figure must do; a new one is tested here as soon as it is registered."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.testing.compare import compare_images

from plots.lib.figure import FigureFile, Info, canvas, render
from plots.lib.style import COLUMN, PAGE, paper_style
from study.analysis.results import Results
from study.records.folder import StudyFolder
from study.records.study import Study, load_study
from tests.plots.drawn_text import clipped, drawn_text, overlaps
from tests.plots.shown import ALL_FIGURES, compute
from tests.plots.tiny_study import write_run

BASELINE = Path(__file__).parents[1] / "baseline"
DPI = 50  # small files; a moved line still shows
TOLERANCE = 6  # root mean square of grey levels: other font rasters differ by less, a missing line by more


# Files of all figures take seconds each, so one stands for all unless slow tests run.
ALL_FILES = [pytest.param(name, marks=[] if name == "search_history" else pytest.mark.slow) for name in ALL_FIGURES]


class Drawing(NamedTuple):
    name: str
    module: FigureFile
    info: Info
    figure: Figure


@pytest.fixture(scope="module", params=ALL_FIGURES)
def drawing(request: pytest.FixtureRequest, info_of: Callable[[str], Info]) -> Drawing:
    module, info = ALL_FIGURES[request.param], info_of(request.param)
    with paper_style():
        return Drawing(request.param, module, info, canvas(module, info))


def small_png(figure: Figure, path: Path) -> str:
    with paper_style():
        figure.savefig(path, dpi=DPI, metadata={"Software": None})
    return str(path)


@pytest.mark.slow
def test_no_text_overlaps_or_leaves_the_page(drawing: Drawing):
    texts = drawn_text(drawing.figure)
    assert texts
    assert overlaps(texts) == []
    assert clipped(drawing.figure, texts) == []


def test_the_picture_is_the_one_that_was_looked_at(drawing: Drawing, tmp_path: Path):
    """After a change: look at the new picture, then ``python -m tests.plots.accept_pictures``."""
    drawn = small_png(drawing.figure, tmp_path / "drawn.png")
    assert compare_images(str(BASELINE / f"{drawing.name}.png"), drawn, TOLERANCE) is None


def test_the_width_is_a_columns_or_a_pages(drawing: Drawing):
    width, height = drawing.module.size(drawing.info)
    assert width in (COLUMN, PAGE)
    assert 1 < height <= 9  # fits a page


def test_the_csv_keeps_full_precision(drawing: Drawing):
    data = drawing.info.data
    numbers = data.select_dtypes("float")
    read = pd.read_csv(io.StringIO(data.to_csv(index=False)))
    assert len(data)
    np.testing.assert_array_equal(read[numbers.columns].to_numpy(float), numbers.to_numpy(float))


@pytest.mark.parametrize("name", ALL_FILES)
def test_equal_records_give_equal_bytes_and_embedded_fonts(name: str, study: Study, tmp_path: Path):
    module = ALL_FIGURES[name]
    first, second = (render(module, compute(name, study, tmp_path / run), ("pdf", "png", "svg")) for run in "ab")
    assert first == second
    assert b"/FontFile2" in first["pdf"]  # TrueType
    assert b"/Type3" not in first["pdf"]


def test_title_and_caption_are_a_heading_and_sentences(drawing: Drawing):
    assert re.fullmatch(r"[A-Z].{3,39}[^.]", drawing.module.TITLE)
    assert re.fullmatch(r"[A-Z].*\.", drawing.module.CAPTION)


@pytest.mark.parametrize(
    "arm_title", ["a & <b>&lt;</b>", "costs $5_{ and ^$x", "\\frac{}{", "  ", "w/o " + "very " * 9 + "much"]
)
def test_strange_names_are_drawn_as_they_are(arm_title: str, tmp_path: Path):
    folder = StudyFolder(tmp_path / "study")
    for arm, title in (("full", "full"), ("mine", arm_title)):
        write_run(folder.ablation("frozen", arm, 1), seed=1, test=True, arm=arm, arm_title=title, mode="frozen")
    module = ALL_FIGURES["ablation"]
    with paper_style():
        figure = canvas(module, module.compute(Results([load_study(folder.root)])))
        texts = drawn_text(figure)
    assert [text for text, _ in texts if text == arm_title] == [arm_title] * (2 if arm_title.strip() else 0)
    assert clipped(figure, texts) == []


def test_a_lost_line_is_more_than_the_tolerance(study: Study, tmp_path: Path):
    module = ALL_FIGURES["search_history"]
    with paper_style():
        figure = canvas(module, module.compute(Results([study])))
    figure.axes[0].lines[-1].remove()
    drawn = small_png(figure, tmp_path / "search_history.png")
    assert compare_images(str(BASELINE / "search_history.png"), drawn, TOLERANCE) is not None


def test_the_docs_explain_every_figure_and_no_other():
    text = (Path(__file__).parents[3] / "docs" / "figures.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE) == list(ALL_FIGURES)

"""Figures inside a page: ids of several do not clash, nothing leaks out, all text is escaped."""

from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from plots import search_history
from plots.lib.inline_svg import inline_svg, study_pictures
from plots.make_figures import make_figures
from study.records.folder import StudyFolder
from study.records.study import Study, load_study
from tests.plots.tiny_study import write_datasets, write_trial

SVG = b"""<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 504 200" width="504pt">
<metadata>m</metadata><defs><style>*{x: y}</style><clipPath id="p"><path id="q" d="M0 0"/></clipPath></defs>
<!-- <script>alert(1)</script> --><use xlink:href="#q" clip-path="url(#p)" style="fill: url(#p)"/></svg>"""


def test_ids_get_the_figures_name_and_references_follow() -> None:
    root = ElementTree.fromstring(inline_svg(SVG, name="a", title="t", caption="c"))
    use = root.find("use")
    assert use is not None
    assert use.attrib == {"href": "#a-q", "clip-path": "url(#a-p)", "style": "fill: url(#a-p)"}
    assert {element.attrib["id"] for element in root.iter() if "id" in element.attrib} == {
        "a-p", "a-q", "a-title", "a-caption"
    }  # fmt: skip


def test_nothing_leaks_and_words_are_escaped() -> None:
    text = inline_svg(SVG, name="a", title="<script>&\"'", caption="</svg><img src=x>")
    assert text.startswith("<svg ")
    for foreign in ("<style", "<metadata", "<!--", "<script", "<img", "DOCTYPE", "xmlns"):
        assert foreign not in text
    root = ElementTree.fromstring(text)
    assert root.attrib["role"] == "img"
    assert root.attrib["viewBox"] == "0 0 504 200"
    assert "width" not in root.attrib
    words = {element.attrib.get("id"): element.text for element in root}
    assert words["a-title"] == "<script>&\"'"
    assert words["a-caption"] == "</svg><img src=x>"


def test_a_picture_and_its_files_are_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = StudyFolder(tmp_path / "study")
    write_trial(folder, 0)
    computed: list[Study] = []

    def compute(study: Study) -> search_history.SearchHistory:
        computed.append(study)
        return search_history.compute(study)

    module = SimpleNamespace(
        TITLE="T", CAPTION="C.", compute=compute, size=search_history.size, draw=search_history.draw
    )
    monkeypatch.setattr("plots.lib.inline_svg.FIGURES", {"search_history": module})
    study = load_study(folder.root)
    (picture,) = study_pictures(study, folder.figures)
    assert computed == [study]
    assert picture.svg.startswith("<svg ")
    written = {path.name: path.read_bytes() for path in folder.figures.iterdir()}
    expected = make_figures(folder.root, only=["search_history"])
    assert written == {path.name: path.read_bytes() for path in expected}


@pytest.mark.slow
def test_a_study_gives_the_figures_that_its_records_allow(tmp_path: Path) -> None:
    root = write_datasets(tmp_path, 1)[0]
    names = [picture.name for picture in study_pictures(load_study(root))]
    assert "ablation" in names
    assert "search_history" not in names

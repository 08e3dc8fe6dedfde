"""Figures as SVG for a page of many: no ids that clash, no styles that leak, words for screen readers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from plots.lib.draw_all import FILES, draw_all, write_drawn
from plots.lib.figure import FigureFile
from plots.lib.figures import FIGURES, JOINT_FIGURES
from study.records.study import Study
from study.reporting.page.page import Picture

_REFERENCE = re.compile(r"url\(#([^)]+)\)")


def study_pictures(study: Study, out: Path | None = None) -> list[Picture]:
    """Every figure of a study that its records allow, in the order of the report.

    Args:
        study: whose records are drawn.
        out: folder in which the same figures are written as PDF, PNG and CSV too, without drawing them again.

    Raises:
        UserError: a test result without its receipt, or an unwritable folder.
    """
    return _pictures(FIGURES, study, out)


def joint_pictures(studies: Sequence[Study], out: Path | None = None) -> list[Picture]:
    """Every figure that compares several studies; otherwise as ``study_pictures``."""
    return _pictures(JOINT_FIGURES, list(studies), out)


def inline_svg(svg: bytes, *, name: str, title: str, caption: str) -> str:
    """Make an SVG file an element of a page.

    Args:
        svg: a whole file, as matplotlib writes it.
        name: prefix of all ids; figures of one page need different ones.
        title: becomes the picture's accessible name.
        caption: becomes its description.

    Returns:
        One ``<svg>`` element that fills its box's width; all text in it is escaped.
    """
    root = ElementTree.fromstring(svg)  # noqa: S314 -- drawn by us a moment ago; comments are dropped
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in ("metadata", "style"):  # a style in a page would apply to the whole page
                parent.remove(child)
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {_local(key): _renamed(_local(key), value, name) for key, value in element.attrib.items()}
    width, height = (float(part) for part in root.attrib["viewBox"].split()[2:])
    labels = {"role": "img", "aria-labelledby": f"{name}-title", "aria-describedby": f"{name}-caption"}
    # What the style element that was removed said of all elements.
    look = f"stroke-linejoin: round; stroke-linecap: butt; --width: {width:.0f}; --height: {height:.0f}"
    root.attrib = {"viewBox": root.attrib["viewBox"], "style": look, **labels}
    heading = ElementTree.Element("title", {"id": f"{name}-title"})
    heading.text = title
    description = ElementTree.Element("desc", {"id": f"{name}-caption"})
    description.text = caption
    root[:0] = [heading, description]
    return re.sub(r">\s+<", "><", ElementTree.tostring(root, encoding="unicode"))


def _pictures(figures: Mapping[str, FigureFile], records: Any, out: Path | None) -> list[Picture]:
    pictures = []
    for drawn in draw_all(figures, records, ("svg",) if out is None else ("svg", *FILES)):
        if out is not None:
            write_drawn(drawn, out)
        name, title, caption = drawn.name, drawn.module.TITLE, drawn.module.CAPTION
        svg = inline_svg(drawn.files["svg"], name=name, title=title, caption=caption)
        pictures.append(Picture(name, title, caption, svg))
    return pictures


def _local(name: str) -> str:
    """A name without its namespace, which HTML does not write."""
    return name.rpartition("}")[2]


def _renamed(key: str, value: str, prefix: str) -> str:
    if key == "id":
        return f"{prefix}-{value}"
    if key == "href" and value.startswith("#"):
        return f"#{prefix}-{value[1:]}"
    return _REFERENCE.sub(rf"url(#{prefix}-\1)", value)

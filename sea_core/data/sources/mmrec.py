"""The source ``mmrec``: any folder in MMRec's format. Its options are the folder's path, which may stand alone."""

from __future__ import annotations

from pathlib import Path

from sea_core.data.mmrec_folder import find_interactions, open_folder
from sea_core.data.sources.registry import register_source
from sea_core.data.sources.source import Source
from sea_core.data.splits import Contents


class MMRecFolder(Source):
    """Folders with one ``.inter`` file and feature files (docs/data.md); they lie where the user put them."""

    name = "mmrec"
    summary = "a folder in MMRec's format, by its path or its name under --data-root"

    def canonical(self, options: str) -> str:
        """The folder's absolute path, after a look whether it is one."""
        folder = Path(options)
        find_interactions(folder)
        return str(folder.resolve())

    def open(self, options: str) -> Contents:
        """Read and check the folder's interactions; features on demand."""
        return open_folder(Path(options))


register_source(MMRecFolder())

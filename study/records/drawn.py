"""Whether a study's tables, figures and report are still those of its records, so that nothing is drawn twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from sea_core.files import write_json
from sea_core.plugins import loaded_plugins
from study.records.folder import StudyFolder

STAMP = "drawn.json"
_RECORDS = ("trials", "final", "ablations", "placebos", "path", "imported")
_CODE = ("sea_core", "study", "plots", "ablations")
_CHECKOUT = Path(__file__).resolve().parents[2]


def is_drawn(folder: StudyFolder) -> bool:
    """Whether records, code and outputs are those of the last ``mark_drawn``, by names, sizes, and times or content."""
    try:
        return bool(json.loads((folder.root / STAMP).read_bytes()) == _state(folder))
    except (OSError, ValueError):
        return False


def mark_drawn(folder: StudyFolder) -> None:
    """Remember that all outputs have just been written."""
    write_json(folder.root / STAMP, _state(folder))


def _state(folder: StudyFolder) -> dict[str, str]:
    root = folder.root
    records = [path for name in _RECORDS for path in (root / name).rglob("*")]
    drawn = [*folder.tables.rglob("*"), *folder.figures.rglob("*"), *root.glob("report.html")]
    outputs = [path for path in drawn if path.name != "trials.csv"]  # which every search writes, drawing or not
    code = [path for name in _CODE for path in (_CHECKOUT / name).rglob("*") if "__pycache__" not in path.parts]
    loaded = " ".join(f"{plugin.name} {plugin.hash}" for plugin in loaded_plugins())
    return {
        "records": _digest(root, [*records, folder.identity]),
        "outputs": _digest(root, outputs),
        "code": _digest(_CHECKOUT, code),
        "plugins": hashlib.sha256(loaded.encode()).hexdigest()[:16],
    }


def _digest(root: Path, paths: Iterable[Path]) -> str:
    def lines() -> Iterator[str]:
        for path in paths:
            if path.is_file():
                stat = path.stat()
                # Small records are written again, to the same bytes, by every call that finds all done.
                content = path.read_bytes() if path.suffix in (".json", ".yaml") else stat.st_mtime_ns
                yield f"{path.relative_to(root).as_posix()} {stat.st_size} {content!r}\n"

    return hashlib.sha256("".join(sorted(lines())).encode()).hexdigest()[:16]

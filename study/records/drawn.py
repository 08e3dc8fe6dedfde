"""Whether tables, figures and report are still those of the records, so that nothing is computed or drawn twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sea_core.files import write_json
from sea_core.plugins import loaded_plugins
from study.records.folder import StudyFolder

STAMP = "drawn.json"
_RECORDS = ("trials", "final", "ablations", "placebos", "path", "imported")
_OUTPUTS = ("tables", "figures")
_CODE = ("sea_core", "study", "plots", "ablations")
_CHECKOUT = Path(__file__).resolve().parents[2]


class Shown(NamedTuple):
    """A table as a terminal shows it."""

    caption: str
    text: str


def shown_before(out: Path, studies: Sequence[StudyFolder], metrics: Sequence[str]) -> dict[str, Shown] | None:
    """The tables that ``mark_drawn`` was told of, by name; None if records, code or outputs changed since then.

    Changes are seen by names, sizes, and times or content.

    Args:
        out: folder of the outputs: that of the only study, or one for several.
        studies: whose records were drawn.
        metrics: that were shown.
    """
    stamp = _read(out)
    if stamp.get("state") != _state(out, studies, metrics):
        return None
    return {name: Shown(**table) for name, table in stamp["shown"].items()}


def mark_drawn(
    out: Path,
    studies: Sequence[StudyFolder],
    metrics: Sequence[str],
    *,
    shown: Mapping[str, Shown],
    written: Iterable[Path],
) -> None:
    """Remember that all outputs have just been written, and the tables that a terminal shows.

    Files that the last call names and this one does not are removed: no registry knows those of a plugin that is not
    loaded any more.

    Args:
        out, studies, metrics: as for ``shown_before``.
        shown: by name; handed back by ``shown_before``.
        written: files below ``out``.
    """
    files = {path.relative_to(out).as_posix(): "" for path in written}
    for outdated in _read(out).get("files", {}).keys() - files.keys():
        (out / outdated).unlink(missing_ok=True)
    write_json(
        out / STAMP,
        {
            "state": _state(out, studies, metrics),
            "shown": {name: table._asdict() for name, table in shown.items()},
            "files": files,
        },
    )


def _read(out: Path) -> dict[str, dict[str, Any]]:
    """The stamp; empty if there is none, a damaged one, or one of an earlier version."""
    try:
        stamp = json.loads((out / STAMP).read_bytes())
    except (OSError, ValueError):
        return {}
    parts = ("state", "shown", "files")
    whole = isinstance(stamp, dict) and all(isinstance(stamp.get(part), dict) for part in parts)
    return stamp if whole else {}


def _state(out: Path, studies: Sequence[StudyFolder], metrics: Sequence[str]) -> dict[str, object]:
    outputs = [*(path for name in _OUTPUTS for path in (out / name).rglob("*")), *out.glob("report.html")]
    outputs = [path for path in outputs if path.name != "trials.csv"]  # which every search writes, drawing or not
    code = [path for name in _CODE for path in (_CHECKOUT / name).rglob("*") if "__pycache__" not in path.parts]
    return {
        "metrics": list(metrics),
        "records": {folder.name: _records(folder) for folder in studies},
        "outputs": _digest(out, outputs),
        "code": _digest(_CHECKOUT, code),
        "plugins": _plugins(),
    }


def _records(folder: StudyFolder) -> str:
    paths = [path for name in _RECORDS for path in (folder.root / name).rglob("*")]
    return _digest(folder.root, [*paths, folder.identity, folder.question])


def _plugins() -> str:
    loaded = " ".join(f"{plugin.name} {plugin.hash}" for plugin in loaded_plugins())
    return hashlib.sha256(loaded.encode()).hexdigest()[:16]


def _digest(root: Path, paths: Iterable[Path]) -> str:
    def lines() -> Iterator[str]:
        for path in paths:
            if path.is_file():
                stat = path.stat()
                # Small records are written again, to the same bytes, by every call that finds all done.
                content = path.read_bytes() if path.suffix in (".json", ".yaml") else stat.st_mtime_ns
                yield f"{path.relative_to(root).as_posix()} {stat.st_size} {content!r}\n"

    return hashlib.sha256("".join(sorted(lines())).encode()).hexdigest()[:16]

"""The whole preparation: interactions, then each modality, then checks, then ``dataset.json``; whole or not at all.

Everything is written into a hidden folder beside the target, which is renamed at the end. A part that is there whole is
not made again, so the same command after an interruption starts the missing parts.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from sea_core.data.prepare import manifest
from sea_core.data.prepare.folder import read_ids, write_features, write_ids, write_interactions
from sea_core.data.prepare.options import Options
from sea_core.data.prepare.raw import Content, Raw
from sea_core.data.prepare.steps import Step, chosen_contents, take_steps
from sea_core.errors import UserError
from sea_core.files import write_json

# Part of what an interrupted preparation is recognised by: raise it when equal input gives other files.
VERSION = 1
_STATE, _INTERACTIONS = ".state.json", ".interactions.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

Tell = Callable[[Step], None]


def prepare(
    raw: Raw, out: Path, options: Options, *, tell: Tell = lambda step: None, print_line: Callable[[str], None] = print
) -> Path:
    """Make the folder ``out``, whose name is the dataset's.

    Args:
        raw: the files.
        out: a new folder.
        options: the choices.
        tell: told each step.
        print_line: told what else is done.

    Raises:
        UserError: ``out`` exists or cannot be a dataset's name, another process makes it, or the raw files are faulty.
    """
    check_target(out)
    contents = chosen_contents(raw, options)
    work = out.parent / f".{out.name}.preparing"
    work.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(work.with_name(f"{work.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(f"{out}: another process is preparing it; wait for it, or choose another folder") from None
    try:
        key = _key(raw, options, [content.modality for content in contents])
        if _state(work) == key:
            print_line(f"going on with {work.name}, which an interrupted run left")
        else:
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            write_json(work / _STATE, {"key": key})
        try:
            _fill(work, raw, contents, options, name=out.name, tell=tell, print_line=print_line)
        except UserError:
            shutil.rmtree(work, ignore_errors=True)  # what was wrong must change, and then all is made anew
            raise
        check_target(out)
        for path in (*work.iterdir(), work):
            _flush(path)
        work.rename(out)
        _flush(out.parent)
    finally:
        lock.release()
        if not work.exists():
            Path(lock.lock_file).unlink(missing_ok=True)
    return out


def _fill(
    work: Path,
    raw: Raw,
    contents: Sequence[Content],
    options: Options,
    *,
    name: str,
    tell: Tell,
    print_line: Callable[[str], None],
) -> None:
    """Make what the folder lacks.

    More than six parameters: it is ``prepare`` inside its lock.
    """
    about = _interactions(raw, contents, options, work, name, tell)
    items = read_ids(work / "items.tsv")
    modalities = {}
    for content in contents:
        path = work / f"{content.modality}_feat.json"
        if not path.is_file():
            print_line(f"features: {content.modality}")
            write_features(work, content, items, options.encoding)
        modalities[content.modality] = f"{content.modality}_feat.npy"
    write_json(
        work / manifest.NAME,
        {
            "format": manifest.FORMAT,
            "schema_version": manifest.SCHEMA_VERSION,
            "name": name,
            "layout": raw.name,
            "options": options.describe(),
            "split": about["split"],
            "modalities": modalities,
            "steps": about["steps"],
            "notes": about["notes"],
            "features": {modality: _without_mask(work / f"{modality}_feat.json") for modality in modalities},
            "raw_files": about["raw_files"],
            "versions": dict(manifest.versions()),
        },
    )
    _check(work)
    for leftover in (_STATE, _INTERACTIONS):
        (work / leftover).unlink(missing_ok=True)


def check_target(out: Path) -> None:
    """Refuse a folder that is there, or a name that no dataset can have.

    Raises:
        UserError: it is so.
    """
    if os.path.lexists(out):
        raise UserError(f"{out} exists; choose another folder, or remove it first")
    if not _NAME.fullmatch(out.name):
        raise UserError(f"the folder's name is the dataset's: expected letters, digits, . _ and -, got {out.name!r}")


def _interactions(
    raw: Raw, contents: Sequence[Content], options: Options, work: Path, name: str, tell: Tell
) -> dict[str, Any]:
    """The part of ``dataset.json`` that interactions give, made with their files unless it is there."""
    path = work / _INTERACTIONS
    if path.is_file():
        stored: dict[str, Any] = json.loads(path.read_bytes())
        return stored
    result = take_steps(raw, contents, options, tell)
    write_interactions(work / f"{name}.inter", result.numbered, result.label)
    write_ids(work / "users.tsv", "userID", result.numbered.users)
    write_ids(work / "items.tsv", "itemID", result.numbered.items)
    steps = [{"step": step.name, **step.counts._asdict(), "remark": step.remark} for step in result.steps]
    used = dict.fromkeys([raw.files[0], *(file for content in contents for file in content.files)])
    about = {
        "split": None if options.split is None else options.split.describe(),
        "steps": steps,
        "notes": result.notes,
        "raw_files": [manifest.fingerprint(file) for file in used],
    }
    write_json(path, about)
    return about


def _check(work: Path) -> None:
    """Read the folder as training will."""
    from sea_core.data.mmrec_folder import open_folder

    open_folder(work).read_features(None)


def _key(raw: Raw, options: Options, modalities: list[str]) -> str:
    """What an interrupted preparation must share to be gone on with: choices, and the raw files as they lie there."""
    stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in raw.files]
    parts = [VERSION, raw.name, options.describe(), modalities, stats, dict(manifest.versions())]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _state(work: Path) -> str | None:
    try:
        return str(json.loads((work / _STATE).read_bytes())["key"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _without_mask(path: Path) -> dict[str, Any]:
    return {key: value for key, value in json.loads(path.read_bytes()).items() if key != "mask"}


def _flush(path: Path) -> None:
    """Make a file, or the names in a folder, outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # some file systems cannot, and then nothing can
    finally:
        os.close(descriptor)

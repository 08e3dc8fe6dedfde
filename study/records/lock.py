"""The lock that lets one driver at a time write in a study's folder."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from sea_core.errors import UserError
from sea_core.files import write_json
from study.records.folder import now, remove_half_written


@contextlib.contextmanager
def hold_lock(root: Path) -> Iterator[None]:
    """Hold the study's lock; the operating system frees it when this process ends, however it ends.

    Raises:
        UserError: another process holds it; the message names that process.
    """
    lock, holder = FileLock(root / "driver.lock"), root / "driver.json"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise _held(root, holder) from None
    try:
        who = {"host": socket.gethostname(), "pid": os.getpid(), "since": now(), "command": sys.argv}
        write_json(holder, who)
        remove_half_written(root)
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def refuse_held(root: Path) -> None:
    """Refuse a study that another process drives; nothing is written.

    Raises:
        UserError: another process holds its lock; the message names that process.
    """
    path = root / "driver.lock"
    if not path.exists():
        return
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise _held(root, root / "driver.json") from None
    except OSError:
        return  # who could write there could lock it; a copy on a medium that is only read has no driver
    lock.release()


def _held(root: Path, holder: Path) -> UserError:
    return UserError(f"{root} is being written by {_describe(holder)}; wait for it, or stop it first")


def _describe(holder: Path) -> str:
    try:
        who = json.loads(holder.read_text(encoding="utf-8"))
        return f"process {who['pid']} on {who['host']} since {who['since']}"
    except (OSError, ValueError, KeyError):
        return "another process"

"""Opening Optuna's storage, with errors a user understands."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import sqlalchemy
import sqlalchemy.exc
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage

from sea_core.errors import UserError
from study.searching.reconnecting_storage import ReconnectingStorage


def check_url(url: str) -> None:
    """See that a storage can be reached, without creating anything.

    Raises:
        UserError: the URL is malformed, its driver is not installed, or nothing answers there.
    """
    try:
        parsed = sqlalchemy.make_url(url)
        if parsed.get_backend_name() != "sqlite":
            sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool).connect().close()
            return
    except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
        raise _explained(url, error) from None
    if parsed.database in (None, "", ":memory:"):
        raise UserError(f"--storage {url} names no file, so the study could not be continued; give sqlite:///FILE")
    if not Path(str(parsed.database)).absolute().parent.is_dir():
        raise UserError(f"cannot use the storage {url}: its folder does not exist")


def open_storage(url: str, *, write_line: Callable[[str], None] = lambda line: None) -> RDBStorage:
    """Open an SQL storage, creating its tables where they are missing.

    Args:
        url: as Optuna takes it, ``sqlite:///path`` or ``postgresql://user@host/database``.
        write_line: told when a database server does not answer, and when it does again.

    Raises:
        UserError: as ``check_url``; or the database is damaged.
    """
    try:
        if not url.startswith("sqlite"):
            return ReconnectingStorage(url, write_line=write_line)
        # SQLite waits for another reader (a dashboard, say).
        storage = RDBStorage(url, engine_kwargs={"connect_args": {"timeout": 60}})
    except (sqlalchemy.exc.SQLAlchemyError, StorageInternalError, ImportError, RuntimeError) as error:
        raise _explained(url, error) from None
    sqlalchemy.event.listen(storage.engine, "connect", _write_ahead)
    storage.engine.dispose()  # the connections that were made before
    return storage


def _write_ahead(connection: sqlite3.Connection, record: object) -> None:
    """Let a report cost no wait for the disk.

    A killed process loses nothing. A power cut may undo the last transactions, never half of one: their trials are then
    still running, and continue.
    """
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _explained(url: str, error: Exception) -> UserError:
    shown = _without_password(url)
    if isinstance(error, sqlalchemy.exc.NoSuchModuleError | sqlalchemy.exc.ArgumentError):
        return UserError(
            f"--storage is no database URL: {shown!r}; expected something like sqlite:///study.db or "
            "postgresql://user@host/database"
        )
    if isinstance(error, ImportError):
        return UserError(
            f"--storage {shown}: the database driver is missing ({error}); "
            "for PostgreSQL: pip install 'sea-study[postgresql]'"
        )
    return UserError(f"cannot use the storage {shown}: {' '.join(str(error.__cause__ or error).split())}")


def _without_password(url: str) -> str:
    try:
        return sqlalchemy.make_url(url).render_as_string(hide_password=True)
    except sqlalchemy.exc.ArgumentError:
        return url

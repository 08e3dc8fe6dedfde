"""Opening Optuna's storage, with errors a user understands, and patience with a server that is being restarted."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import sqlalchemy
import sqlalchemy.exc
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage

from sea_core.errors import UserError

WAIT_SECONDS = 600.0  # for a database server that does not answer
_PAUSE_SECONDS = 2.0


def check_url(url: str) -> None:
    """See that a storage can be reached, without creating anything.

    Raises:
        UserError: the URL is malformed, its driver is not installed, or nothing answers there.
    """
    try:
        parsed = sqlalchemy.make_url(url)
        if parsed.get_backend_name() != "sqlite":
            sqlalchemy.create_engine(url).connect().close()
            return
    except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
        raise _explained(url, error) from None
    if parsed.database in (None, "", ":memory:"):
        raise UserError(f"--storage {url} names no file, so the study could not be continued; give sqlite:///FILE")
    if not Path(str(parsed.database)).absolute().parent.is_dir():
        raise UserError(f"cannot use the storage {url}: its folder does not exist")


def open_storage(url: str) -> RDBStorage:
    """Open an SQL storage, creating its tables where they are missing.

    Args:
        url: as Optuna takes it, ``sqlite:///path`` or ``postgresql://user@host/database``.

    Raises:
        UserError: as ``check_url``; or the database is damaged.
    """
    sqlite = url.startswith("sqlite")
    # SQLite waits for another reader (a dashboard, say); servers are asked whether they are still there.
    options: dict[str, Any] = {"connect_args": {"timeout": 60}} if sqlite else {"pool_pre_ping": True}
    try:
        storage = RDBStorage(url, engine_kwargs=options)
    except (sqlalchemy.exc.SQLAlchemyError, StorageInternalError, ImportError, RuntimeError) as error:
        raise _explained(url, error) from None
    if sqlite:
        sqlalchemy.event.listen(storage.engine, "connect", _write_ahead)
        storage.engine.dispose()  # the connections that were made before
    else:
        sqlalchemy.event.listen(storage.engine, "do_connect", _connect_patiently)
    return storage


def _write_ahead(connection: sqlite3.Connection, record: object) -> None:
    """Let a report cost no wait for the disk.

    A killed process loses nothing. A power cut may undo the last transactions, never half of one: their trials are then
    still running, and continue.
    """
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _connect_patiently(dialect: Any, record: object, arguments: Any, options: Any) -> Any:
    """Connect; while the server does not answer, try again for ``WAIT_SECONDS``."""
    begun = time.monotonic()
    while True:
        try:
            return dialect.connect(*arguments, **options)
        except dialect.loaded_dbapi.OperationalError:
            if time.monotonic() - begun > WAIT_SECONDS:
                raise
            time.sleep(_PAUSE_SECONDS)


def _explained(url: str, error: Exception) -> UserError:
    shown = _without_password(url)
    if isinstance(error, sqlalchemy.exc.NoSuchModuleError | sqlalchemy.exc.ArgumentError):
        return UserError(
            f"--storage is no database URL: {shown!r}; expected something like sqlite:///study.db or "
            "postgresql://user@host/database"
        )
    if isinstance(error, ImportError):
        return UserError(f"--storage {shown}: the database driver is missing ({error}); install it with pip")
    return UserError(f"cannot use the storage {shown}: {' '.join(str(error.__cause__ or error).split())}")


def _without_password(url: str) -> str:
    try:
        return sqlalchemy.make_url(url).render_as_string(hide_password=True)
    except sqlalchemy.exc.ArgumentError:
        return url

"""Opening Optuna's storage, with errors a user understands."""

from __future__ import annotations

import sqlite3

import sqlalchemy
import sqlalchemy.exc
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage

from sea_core.errors import UserError


def open_storage(url: str) -> RDBStorage:
    """Open an SQL storage, creating its tables where they are missing.

    Args:
        url: as Optuna takes it, ``sqlite:///path`` or ``postgresql://user@host/database``.

    Raises:
        UserError: the URL is malformed, its driver is not installed, or the database cannot be used.
    """
    lacks = "expected something like sqlite:///study.db or postgresql://user@host/database"
    # SQLite waits for another reader (a dashboard, say); servers are asked whether they are still there.
    options = {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {"pool_pre_ping": True}
    try:
        storage = RDBStorage(url, engine_kwargs=options)
        if url.startswith("sqlite"):
            sqlalchemy.event.listen(storage.engine, "connect", _write_ahead)
            storage.engine.dispose()  # the connections that were made before
        return storage
    except sqlalchemy.exc.ArgumentError:
        raise UserError(f"--storage is no database URL: {url!r}; {lacks}") from None
    except ImportError as error:
        raise UserError(f"--storage {url}: the database driver is missing ({error}); install it with pip") from None
    except (sqlalchemy.exc.SQLAlchemyError, StorageInternalError, RuntimeError) as error:
        reason = " ".join(str(error.__cause__ or error).split())
        raise UserError(f"cannot use the storage {url}: {reason}") from None


def _write_ahead(connection: sqlite3.Connection, record: object) -> None:
    """Let a report cost no wait for the disk.

    A killed process loses nothing. A power cut may undo the last transactions, never half of one: their trials are then
    still running, and continue.
    """
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")

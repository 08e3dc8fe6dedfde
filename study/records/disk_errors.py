"""A full or failing disk as an error that says what to do. All that is finished is kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from optuna.exceptions import StorageInternalError

from sea_core.errors import UserError


@contextlib.contextmanager
def explain_disk_errors(root: Path) -> Iterator[None]:
    """Turn what a disk or a database says within the block into one line.

    Args:
        root: folder of the study that is written.

    Raises:
        UserError: a file or the storage could not be written.
    """
    try:
        yield
    except BrokenPipeError:
        raise  # the reader of our output has gone; no disk is at fault
    except StorageInternalError as error:
        cause = error.__cause__ or error
        what = getattr(cause, "orig", None) or cause  # what the database said, without SQLAlchemy's pages about it
        raise _explained(f"the storage of {root}", " ".join(str(what).split())) from error
    except OSError as error:
        raise _explained(str(error.filename or root), error.strerror or " ".join(str(error).split())) from error


def _explained(where: str, what: str) -> UserError:
    return UserError(
        f"cannot write {where}: {what}; finished work is kept, and the same command continues once that is mended"
    )

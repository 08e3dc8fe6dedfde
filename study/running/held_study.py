"""The hold of one process on a study while it trains."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from study.records.disk_errors import explain_disk_errors
from study.records.folder import StudyFolder, make_writable
from study.records.lock import hold_lock
from study.running.events import Emit, StageBegun, StudyBegun, announced


@contextlib.contextmanager
def held_study(folder: StudyFolder, dataset: str, config: Mapping[str, Any], *, emit: Emit) -> Iterator[None]:
    """Take a study's lock; begin and end are announced, and what a disk refuses is explained.

    Args:
        folder: of the study; created if missing.
        dataset: its name.
        config: that the study begins from.
        emit: told of both.

    Raises:
        UserError: the folder cannot be written, or another process drives this study. What was finished before a disk
            became full is kept.
    """
    make_writable(folder.root)
    begun = StudyBegun(folder.name, folder.root, dataset, config)
    with hold_lock(folder.root), explain_disk_errors(folder.root), announced(begun, emit):
        emit(StageBegun(f"setting up {dataset}"))
        yield

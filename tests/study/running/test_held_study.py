"""One process holds a study, and all hear of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sea_core.errors import UserError
from study.records.folder import StudyFolder
from study.records.lock import hold_lock
from study.running.events import Note, RunEvent, StageBegun, StudyBegun, StudyEnded
from study.running.held_study import held_study

CONFIG = {"latent_dim": 4}


def test_begin_set_up_and_end_are_told_in_order_and_the_study_is_free_afterwards(tmp_path: Path) -> None:
    folder, heard = StudyFolder(tmp_path / "out" / "tiny"), list[RunEvent]()
    with held_study(folder, "random", CONFIG, emit=heard.append):
        heard.append(Note("training"))
        with pytest.raises(UserError, match="is being written by process"), hold_lock(folder.root):
            pass
    assert heard == [
        StudyBegun("tiny", folder.root, "random", CONFIG),
        StageBegun("setting up random"),
        Note("training"),
        StudyEnded("tiny", folder.root, "finished"),
    ]
    with hold_lock(folder.root):
        pass


def test_a_study_that_another_holds_is_refused_before_anything_is_told(tmp_path: Path) -> None:
    folder, heard = StudyFolder(tmp_path / "tiny"), list[RunEvent]()
    folder.root.mkdir()
    with (
        hold_lock(folder.root),
        pytest.raises(UserError, match="is being written by process"),
        held_study(folder, "random", CONFIG, emit=heard.append),
    ):
        heard.append(Note("training"))
    assert heard == []


def test_a_disk_that_becomes_full_is_explained_and_the_end_is_told(tmp_path: Path) -> None:
    folder, heard = StudyFolder(tmp_path / "tiny"), list[RunEvent]()
    with (
        pytest.raises(UserError, match=r"cannot write .*record\.json: No space left.* the same command continues"),
        held_study(folder, "random", CONFIG, emit=heard.append),
    ):
        raise OSError(28, "No space left on device", "record.json")
    assert heard[-1] == StudyEnded("tiny", folder.root, "failed")
    with hold_lock(folder.root):
        pass

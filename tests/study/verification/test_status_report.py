"""What ``status.py`` says of a search that pauses trials."""

from pathlib import Path

import pytest

from study.records.folder import StudyFolder
from study.records.spec import StudySpec, write_spec
from study.running.events import RunEvent, TrialPaused
from study.verification.status_report import status
from tests.study.small_searches import BASE, search


class KilledError(BaseException):
    """Stands for SIGKILL."""


def kill(event: RunEvent) -> None:
    if isinstance(event, TrialPaused) and event.number == 6:
        raise KilledError


def test_paused_trials_are_counted_by_their_rung_and_are_not_called_running(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "tiny")
    with pytest.raises(KilledError):
        search(tmp_path, 12, pruner="promote", emit=kill)
    write_spec(folder, StudySpec(study="tiny", dataset="random", config=BASE.as_dict()))
    lines = "\n".join(status(folder.root))
    had = [len((path / "history.csv").read_text().splitlines()) - 1 for path in sorted(folder.trials.glob("[1-9]"))]
    waiting = {epochs: had.count(epochs) for epochs in (1, 3) if epochs in had}
    assert sum(waiting.values()) == len(had) - had.count(5)
    counts = ", ".join(f"{count} after {epochs} epochs" for epochs, count in waiting.items())
    assert f"  {sum(waiting.values())} paused: {counts}; the best of them 0." in lines
    assert "trial 6 " not in lines

    search(tmp_path, 12, pruner="promote")
    assert "paused" not in "\n".join(status(folder.root)), "none waits in a search that has ended"

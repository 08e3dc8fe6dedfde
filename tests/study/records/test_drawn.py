from __future__ import annotations

from pathlib import Path

import pytest

from study.records import drawn
from study.records.drawn import Shown, mark_drawn, shown_before
from study.records.folder import StudyFolder
from tests.study.results import write_search

METRICS = ["recall@20"]
SHOWN = {"overall": Shown("All methods", "a table")}


def is_drawn(folder: StudyFolder) -> bool:
    shown = shown_before(folder.root, [folder], METRICS)
    assert shown in (None, SHOWN)
    return shown is not None


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    folder = StudyFolder(write_search(tmp_path))
    folder.tables.mkdir(exist_ok=True)
    for path in (folder.tables / "overall.md", folder.tables / "trials.csv", folder.root / "report.html"):
        path.write_text("x")
    mark_drawn(folder.root, [folder], METRICS, shown=SHOWN, written=[folder.tables / "overall.md"])
    return folder


def test_what_was_just_drawn_is_not_drawn_again(folder: StudyFolder) -> None:
    assert is_drawn(folder)
    (folder.tables / "trials.csv").write_text("every search writes it")
    assert is_drawn(folder)


@pytest.mark.parametrize(
    "name", ["trials/0/record.json", "tables/overall.md", "report.html", "final/selection.json", "question.json"]
)
@pytest.mark.parametrize("change", ["written", "removed"])
def test_a_changed_record_or_output_is_drawn_again(folder: StudyFolder, name: str, change: str) -> None:
    path = folder.root / name
    if change == "removed" and path.exists():
        path.unlink()
    else:
        path.write_text("something else")
    assert not is_drawn(folder)


def test_other_code_draws_again(folder: StudyFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "_CHECKOUT", tmp_path)
    assert not is_drawn(folder)


def test_a_study_without_a_stamp_or_with_a_damaged_one_is_drawn(folder: StudyFolder) -> None:
    for damaged in ("{", "[]", '{"state": {}}', '{"records": "of an earlier version"}'):
        (folder.root / drawn.STAMP).write_text(damaged)
        assert not is_drawn(folder)
    (folder.root / drawn.STAMP).unlink()
    assert not is_drawn(folder)


def test_other_metrics_are_drawn_again(folder: StudyFolder) -> None:
    assert shown_before(folder.root, [folder], ["ndcg@10"]) is None


def test_what_was_written_last_time_and_not_now_is_removed_and_a_users_own_file_stays(folder: StudyFolder) -> None:
    own = folder.tables / "mine.md"
    own.write_text("x")
    mark_drawn(folder.root, [folder], METRICS, shown={}, written=[])
    assert own.exists()
    assert not (folder.tables / "overall.md").exists()

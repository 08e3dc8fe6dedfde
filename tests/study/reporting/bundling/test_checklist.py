from __future__ import annotations

import csv
import io
from pathlib import Path

from study.records.study import load_study
from study.reporting.bundling.checklist import OPEN, Row, answered, as_csv, as_markdown
from study.reporting.bundling.facts import Facts
from tests.study.results import write_arms, write_search


def rows_of(root: Path) -> dict[str, Row]:
    return {row.question: row for row in answered(Facts(load_study(root)))}


def test_what_no_record_can_tell_is_open_and_counted(tmp_path: Path) -> None:
    rows = list(rows_of(write_search(tmp_path)).values())
    still_open = [row for row in rows if row.answer == OPEN]
    assert "Are broader impacts discussed?" in {row.question for row in still_open}
    text = as_markdown(rows)
    assert f"{len(rows) - len(still_open)} of {len(rows)} questions are answered from the records" in text
    assert text.count("**open**") == len(still_open)
    assert [tuple(row) for row in csv.reader(io.StringIO(as_csv(rows)))][1:] == [tuple(row) for row in rows]


def test_answers_follow_the_records(tmp_path: Path) -> None:
    one = rows_of(write_arms(tmp_path / "one", {"full": 0.0, "no-club": 0.0}, seeds=1))
    five = rows_of(write_arms(tmp_path / "five", {"full": 0.0, "no-club": 0.0}, seeds=5))
    errors = "Are error bars or tests of significance reported, and their method?"
    assert (one[errors].answer, five[errors].answer) == ("no", "yes")
    assert five[errors].evidence.startswith("5 seeds;")
    budgets = "Had compared variants equal tuning budgets?"
    tuned = write_arms(tmp_path / "five", {"full": 0.0, "no-club": 0.0}, mode="retuned")
    assert (five[budgets].answer, rows_of(tuned)[budgets].answer) == ("partly", "yes")


def test_a_finalist_opened_on_test_or_a_lost_receipt_is_no_yes(tmp_path: Path) -> None:
    question = "Were hyper-parameters chosen without the test split?"
    arms = write_arms(tmp_path / "arms", {"full": 0.0})
    assert rows_of(arms)[question].answer == "yes"
    next(arms.rglob("receipt.json")).unlink()
    assert rows_of(arms)[question].evidence == "1 of 3 tested runs have no receipt"
    assert rows_of(write_search(tmp_path))[question].answer == "no", "there a trial has test results"


def test_a_failed_run_is_counted(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    path = root / "trials" / "0" / "record.json"
    path.write_text(path.read_text().replace('"complete"', '"failed"'))
    assert rows_of(root)["Are failed runs reported?"].evidence.startswith("1 of 5 runs failed")

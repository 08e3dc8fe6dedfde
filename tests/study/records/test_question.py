"""What a study asks is written down once, and a change is marked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sea_core.errors import UserError
from study.records.question import Question, assumed_question, fix_question, read_question

ASKED = Question("recall@20", ("no-club",), 0.02, 0.05, (11, 12, 13), (3,), ("no-club", "orthogonal"))


def test_the_first_question_is_stamped_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "question.json"
    assert read_question(path) is None
    first = fix_question(path, ASKED)
    assert first.fixed.startswith("20")
    assert first.changed == 0
    assert read_question(path) == first
    later = fix_question(path, replace(ASKED, arms=("no-club", "orthogonal", "subtraction")))
    assert later == first, "an arm that is added later does not change what was asked"


def test_a_changed_question_is_marked_and_the_first_one_kept(tmp_path: Path) -> None:
    path = tmp_path / "question.json"
    first = fix_question(path, ASKED)
    second = fix_question(path, replace(ASKED, margin=0.05))
    assert (second.margin, second.changed) == (0.05, 1)
    assert read_question(path) == second
    assert first.margin == 0.02
    assert path.read_text().count('"margin"') == 2


def test_records_without_a_question_have_the_defaults() -> None:
    question = assumed_question("recall@20", ["no-both", "orthogonal", "no-club"], [1, 2, 3])
    assert question.contrasts == ("no-club", "no-both")
    assert (question.margin, question.looks, question.fixed) == (0.02, (3,), "")
    assert assumed_question("recall@20", ["orthogonal"], [1]).contrasts == ("orthogonal",)


@pytest.mark.parametrize("content", ["", "{}", '{"schema_version": 1, "questions": [{"metric": "x"}]}', "[]"])
def test_a_damaged_file_is_named(content: str, tmp_path: Path) -> None:
    path = tmp_path / "question.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"cannot read .*question\.json"):
        read_question(path)


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "question.json"
    path.write_text('{"schema_version": 9, "questions": []}')
    with pytest.raises(UserError, match="schema_version 9"):
        read_question(path)


def test_the_number_of_searches_may_be_said_until_arms_were_searched(tmp_path: Path) -> None:
    path = tmp_path / "question.json"
    first = fix_question(path, ASKED)
    amended = fix_question(path, replace(ASKED, searches=3), after_runs=True, searched=False)
    assert amended == replace(first, searches=3)
    assert read_question(path) == amended
    changed = fix_question(path, replace(ASKED, searches=5), after_runs=True, searched=True)
    assert (changed.searches, changed.changed) == (5, 1)
    both = fix_question(path, replace(changed, searches=3, margin=0.1), after_runs=True, searched=False)
    assert both.changed == 2, "another margin is another question"

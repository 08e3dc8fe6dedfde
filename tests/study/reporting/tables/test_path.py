"""The table of an ablation path, from records with known differences."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sea_core.errors import UserError
from sea_core.receipts import append_receipt, read_receipts
from sea_core.run_folder import RECEIPT
from study.analysis.comparisons import WHOLE
from study.analysis.results import Results
from study.records.study import load_study
from study.reporting.page.about_path import path_sentences
from study.reporting.page.cautions import cautions
from study.reporting.tables.budgets import parts
from study.reporting.tables.path import compute
from study.reporting.tables.render import to_markdown
from study.verification.replay import find_run
from tests.plots.tiny_study import write_study, write_walked


@pytest.fixture
def walked(tmp_path: Path) -> Path:
    return write_walked(tmp_path)


@pytest.mark.slow
def test_a_row_a_change_and_the_differences_add_up_to_the_whole(walked: Path) -> None:
    table = compute(Results([load_study(walked)]))
    assert table is not None
    lines = table.frame[table.frame["metric"] == "recall@20"]
    assert lines["parameter"].tolist()[1:4] == ["learning_rate", "gnn_layers", "temperature"]
    differences = lines["difference"].tolist()
    assert sum(differences[1:4]) == pytest.approx(differences[4])
    assert lines["name"].tolist()[4] == WHOLE
    assert len(table.rows) == len(table.runs) == 5
    assert [len(runs) for runs in table.runs] == [3, 3, 3, 3, 0]


@pytest.mark.slow
def test_the_next_best_change_and_an_order_that_is_not_decided_are_said(walked: Path) -> None:
    table = compute(Results([load_study(walked)]))
    assert table is not None
    assert [str(row[-1]).split()[0] for row in table.rows] == ["–", "gnn_layers", "temperature", "no", "–"]
    assert any(note.startswith("At learning_rate, gnn_layers validation does not tell") for note in table.notes)
    assert "on 3 seeds of its own; the steps were tested on 3" in to_markdown(table)


def test_no_path_no_table_and_a_path_to_a_former_winner_is_none(tmp_path: Path) -> None:
    plain = load_study(write_study(tmp_path / "plain"))
    assert plain.path is None
    assert compute(Results([plain])) is None
    root = write_walked(tmp_path / "walked")
    file = load_study(root).folder.path
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | {"end": "0" * 16}))
    assert load_study(root).path is None
    assert compute(Results([load_study(root)])) is None


def test_a_damaged_path_says_what_to_do(walked: Path) -> None:
    load_study(walked).folder.path.write_text("{")
    with pytest.raises(UserError, match=r"cannot read .*path\.json.*repeat ablations/run_path\.py"):
        assert load_study(walked).path


def test_no_step_is_shown_without_its_receipt(walked: Path) -> None:
    study = load_study(walked)
    (study.path_steps[0].folder / RECEIPT).unlink()
    with pytest.raises(UserError, match="receipt"):
        compute(Results([load_study(walked)]))


def test_the_ledger_counts_what_the_path_has_cost(walked: Path) -> None:
    spent = {part: len(runs) for part, runs in parts(load_study(walked))}
    assert spent["path, steps"] == 6


@pytest.mark.slow
def test_the_report_names_the_largest_change_first(walked: Path) -> None:
    lines = [line for line in Results([load_study(walked)]).path if line.metric == "recall@20"]
    sentences = path_sentences(lines)
    assert sentences[0].startswith("On the way from the base configuration to the winner (3 changes, one at a time)")
    largest = max((line for line in lines if line.arm != WHOLE), key=lambda line: line.difference)
    assert largest.arm.partition(": ")[2] in sentences[0]
    rest = " ".join(sentences[1:])
    assert all(line.arm.partition(": ")[2] in rest for line in lines if line.arm != WHOLE)
    assert path_sentences([]) == []


@pytest.mark.slow
def test_paths_of_several_studies_stand_below_each_other(walked: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "other"
    shutil.copytree(walked, other)
    table = compute(Results([load_study(walked), load_study(other)]))
    assert table is not None
    assert table.rules == [5]
    assert [str(row[0]).partition(": ")[0] for row in table.rows] == ["tiny-search"] * 5 + ["other"] * 5


@pytest.mark.slow
def test_runs_of_the_path_can_be_replayed_and_their_openings_are_counted(walked: Path) -> None:
    study = load_study(walked)
    run = study.path_steps[0]
    assert find_run(study, run.folder.relative_to(study.folder.root).as_posix()) is not None
    append_receipt(run.folder / RECEIPT, read_receipts(run.folder / RECEIPT)[0])
    study = load_study(walked)
    texts = [text for title, text in cautions(study, Results([study])) if title == "Test split opened again"]
    assert len(texts) == 1
    assert "path/steps/" in texts[0]

"""Models that were searched one by one, side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sea_core.config import Config
from sea_core.errors import UserError
from sea_core.evaluation.user_metrics import UserMetrics
from sea_core.run_folder import TEST, write_user_metrics
from study.analysis.results import Results
from study.records.study import load_study
from study.reporting.page.answer import answer
from study.reporting.tables import models, overall
from study.reporting.tables.table import Number, Table
from tests.study.results import METRICS, USERS, write_search


def search(root: Path, model: str, level: float, *, dataset: str = "tiny", seeds: int = 3) -> Path:
    """A study of a model whose recall@20 is ``level`` and ``level + 0.02`` in turn."""
    config = Config.from_mapping({"model": model})
    return write_search(
        root, name=f"{dataset}-{model}", dataset=dataset, level=level, seeds=seeds, config=config, test_hash="t"
    )


def table_of(*folders: Path) -> Table | None:
    return models.compute(Results([load_study(folder) for folder in folders]))


def test_the_reference_stands_on_top_and_every_other_model_has_its_difference(tmp_path: Path) -> None:
    table = table_of(search(tmp_path, "bpr", 0.2), search(tmp_path, "sea", 0.3), search(tmp_path, "freedom", 0.25))
    assert table is not None
    assert [row[0] for row in table.rows] == [
        "SEA", "BPR", "Δ to SEA", "FREEDOM", "Δ to SEA", "SEA against the best other"
    ]  # fmt: skip
    differences = [row[2] for row in table.rows if str(row[0]).startswith("Δ")]
    assert [cell.value for cell in differences if isinstance(cell, Number)] == pytest.approx([-0.1, -0.05])
    gain = table.rows[-1][2]
    assert isinstance(gain, Number)
    assert gain.value == pytest.approx(0.05)
    assert gain.interval is not None
    assert gain.interval[0] < 0.05 < gain.interval[1]
    best = [row[0] for row in table.rows if isinstance(row[2], Number) and row[2].rank == 1]
    assert best == ["SEA"]
    assert any("two configurations, not two models" in note for note in table.notes)
    assert any(note.startswith("Searches on tiny: BPR 1 trial, 5 epochs, 1.0 full runs") for note in table.notes)


def test_without_sea_the_first_study_is_the_reference(tmp_path: Path) -> None:
    table = table_of(search(tmp_path, "freedom", 0.25), search(tmp_path, "vbpr", 0.28))
    assert table is not None
    assert [row[0] for row in table.rows] == ["FREEDOM", "VBPR", "Δ to FREEDOM", "FREEDOM against the best other"]
    gain = table.rows[-1][2]
    assert isinstance(gain, Number)
    assert gain.value == pytest.approx(-0.03)


def test_datasets_stand_beside_each_other_and_what_was_not_run_is_a_dash(tmp_path: Path) -> None:
    folders = [search(tmp_path, model, 0.3, dataset=d) for d in ("a", "b") for model in ("sea", "bpr")]
    table = table_of(*folders, search(tmp_path, "vbpr", 0.2, dataset="b"))
    assert table is not None
    assert table.groups == [("a", 4), ("b", 4)]
    vbpr = next(row for row in table.rows if row[0] == "VBPR")
    assert list(vbpr[1:5]) == ["–"] * 4
    frame = table.frame.set_index(["dataset", "model", "metric"])
    assert frame.loc[("b", "VBPR", "recall@20"), "difference"] == pytest.approx(-0.1)
    assert frame.loc[("b", "VBPR", "recall@20"), "paired_seeds"] == 3


def test_only_seeds_that_both_finished_are_paired(tmp_path: Path) -> None:
    table = table_of(search(tmp_path, "sea", 0.3, seeds=2), search(tmp_path, "bpr", 0.2, seeds=5))
    assert table is not None
    frame = table.frame.set_index(["model", "metric"])
    assert frame.loc[("BPR", "recall@20"), ["seeds", "paired_seeds"]].tolist() == [5, 2]


def test_one_model_alone_has_no_such_table(tmp_path: Path) -> None:
    assert table_of(search(tmp_path, "sea", 0.3)) is None
    assert table_of(search(tmp_path, "sea", 0.3, dataset="a"), search(tmp_path, "bpr", 0.3, dataset="b")) is None


def test_winners_that_were_tested_on_other_users_are_refused(tmp_path: Path) -> None:
    folders = [search(tmp_path, "sea", 0.3), search(tmp_path, "bpr", 0.2)]
    for run in load_study(folders[1]).winner:
        users = np.arange(1, USERS + 1)
        write_user_metrics(run.folder / TEST, UserMetrics(users, {m: np.full(USERS, 0.2) for m in METRICS}))
    with pytest.raises(UserError, match="tested on different users"):
        table_of(*folders)


def test_a_winner_of_any_model_is_named_by_it_wherever_it_is_compared(tmp_path: Path) -> None:
    results = Results([load_study(search(tmp_path, "freedom", 0.3))])
    assert {row.arm for row in results.baselines} == {"FREEDOM"}
    table = overall.compute(results)
    assert table is not None
    assert [row[0] for row in table.rows] == ["Item-kNN", "Popularity", "FREEDOM", "Improv. %"]
    assert "; FREEDOM: mean ± sd over 3 fresh seeds" in table.caption
    page = answer(results.study, results)
    assert "SEA" not in " ".join([*page.short, *page.sentences, *(group.title for group in page.groups)])

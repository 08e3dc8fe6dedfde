"""Whether luck chose is asked of users that all trials share, or not at all."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from sea_core.evaluation.user_metrics import UserMetrics
from sea_core.run_folder import VALIDATION, write_user_metrics
from study.analysis.plausible_best import best_finalists
from study.analysis.results import Results
from study.records.folder import StudyFolder
from study.records.study import load_study
from study.reporting.page.answer import answer
from study.reporting.tables.selection import beyond_a_lucky_seed, compute, stability_of_search
from study.reporting.tables.table import Table
from tests.study.results import write_result


def write_trials(folder: StudyFolder, *users: np.ndarray) -> None:
    for number, ids in enumerate(users):
        trial = {"number": number, "state": "complete", "value": 0.1 * number, "params": {"knn_k": number}}
        write_result(folder.trial(number), 0.1, seed=999, trial=trial)
        values = np.random.default_rng(number).uniform(0, 0.1, len(ids)) + 0.1 * number
        write_user_metrics(folder.trial(number) / VALIDATION, UserMetrics(ids, {"recall@20": values}))


def test_trials_of_the_same_users_have_their_places(tmp_path: Path) -> None:
    write_trials(StudyFolder(tmp_path / "s"), np.arange(30), np.arange(30))
    assert stability_of_search(load_study(tmp_path / "s"))[1].win_share == 1.0


def test_trials_of_different_users_are_not_resampled_together(tmp_path: Path) -> None:
    write_trials(StudyFolder(tmp_path / "s"), np.arange(30), np.arange(1, 31))
    assert stability_of_search(load_study(tmp_path / "s")) == {}


def write_selected(root: Path, *, luck: float, selected: float) -> Path:
    """Eight trials on a seed worth ``luck``, the last of them chosen, ``selected`` better by chance; five controls."""
    folder, rng = StudyFolder(root), np.random.default_rng(0)
    for number in range(8):
        value = 0.2 + luck + 0.0005 * rng.standard_normal() + (selected if number == 7 else 0.0)
        trial = {"number": number, "state": "complete", "value": value, "params": {"knn_k": number}}
        write_result(folder.trial(number), 0.1, seed=999, trial=trial)
    for number in (7, *range(5)):
        for seed in (11, 12, 13):
            path = folder.winner(seed) if number == 7 else folder.control(number, seed)
            write_result(
                path, 0.2 + 0.0005 * rng.standard_normal(), seed=seed, trial={"number": number}, state="complete"
            )
    return root


def test_a_lucky_seed_is_no_curse_where_it_flattered_everybody(tmp_path: Path) -> None:
    study = load_study(write_selected(tmp_path / "s", luck=0.02, selected=0.0))
    curse = beyond_a_lucky_seed(study)
    assert curse is not None
    assert (curse.controls, curse.shown) == (5, False)
    assert curse.control == pytest.approx(0.02, abs=0.001)
    text = " ".join(answer(study, Results([study])).sentences)
    assert "5 trials that nobody selected lost 0.0" in text
    assert "winner’s curse" not in text
    table = compute(Results([study]))
    assert table is not None
    assert [row[0] for row in table.rows] == ["trial 7, winner", *(f"trial {n}, control" for n in table_order(table))]
    assert set(table.greys) == {1, 2, 3, 4, 5}
    assert any("5 trials that nobody selected lost 0.0" in note for note in table.notes)


def table_order(table: Table) -> list[int]:
    controls = table.frame[table.frame["role"] == "control"]
    assert list(controls["fresh"]) == sorted(controls["fresh"], reverse=True)
    return list(controls["trial"])


def test_what_the_winner_alone_lost_is_a_curse(tmp_path: Path) -> None:
    study = load_study(write_selected(tmp_path / "s", luck=0.0, selected=0.03))
    curse = beyond_a_lucky_seed(study)
    assert curse is not None
    assert curse.shown
    assert "(winner’s curse)" in " ".join(answer(study, Results([study])).sentences)


def test_finalists_that_may_be_the_best_are_named_over_seeds(tmp_path: Path) -> None:
    folder, rng = StudyFolder(tmp_path / "s"), np.random.default_rng(1)
    users = rng.uniform(0.2, 0.4, 40)
    write_trials(folder, np.arange(40))
    for number, level in ((3, 0.0), (5, 0.001), (8, -0.1)):
        for seed in (21, 22, 23, 24):
            path = folder.finalist(number, seed)
            write_result(path, level, seed=seed, trial={"number": number, "state": "complete"})
            values = users + level + 0.01 * rng.standard_normal() + 0.01 * rng.standard_normal(40)
            write_user_metrics(path / VALIDATION, UserMetrics(np.arange(40), {"recall@20": values}))
    best = best_finalists(load_study(folder.root))
    assert best is not None
    assert (sorted(best.inside), best.seeds, best.users) == ([3, 5], 4, 40)
    shutil.rmtree(folder.finalists / "3")
    shutil.rmtree(folder.finalists / "8")
    assert best_finalists(load_study(folder.root)) is None

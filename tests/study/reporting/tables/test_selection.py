"""Whether luck chose is asked of users that all trials share, or not at all."""

from pathlib import Path

import numpy as np

from sea_core.evaluation.user_metrics import UserMetrics
from sea_core.run_folder import VALIDATION, write_user_metrics
from study.records.folder import StudyFolder
from study.records.study import load_study
from study.reporting.tables.selection import stability_of_search
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

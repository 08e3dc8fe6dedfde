import numpy as np
import pytest

from plots.lib.figure import MissingRecordsError
from plots.search_history import compute
from study.analysis.results import Results
from study.records.folder import StudyFolder
from study.records.study import Study, load_study
from tests.plots.tiny_study import write_run, write_trial


@pytest.fixture
def four_trials(tmp_path) -> Study:
    folder = StudyFolder(tmp_path / "study")
    for number, (state, value) in enumerate(
        [("pruned", 0.9), ("complete", 0.2), ("complete", 0.1), ("failed", None), ("complete", 0.3)]
    ):
        trial = {"number": number, "state": state, "value": value, "params": {}}
        write_run(folder.trial(number), seed=999, epochs=6, users=3, pace=10.0, trial=trial)
    return load_study(folder.root)


def test_only_complete_trials_raise_the_best(four_trials):
    best = compute(Results([four_trials])).data["best"]
    np.testing.assert_array_equal(best, [np.nan, 0.2, 0.2, 0.2, 0.3])


def test_time_is_that_of_all_trials_so_far(four_trials):
    assert compute(Results([four_trials])).data["minutes"].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_trials_come_by_number_even_past_nine(study):
    assert compute(Results([study])).data["number"].tolist() == list(range(30))


def test_a_study_without_trials_has_no_history(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    write_run(folder.winner(1), seed=1)
    with pytest.raises(MissingRecordsError, match="no trials"):
        compute(Results([load_study(folder.root)]))


def test_a_search_that_only_failed_is_still_drawn(tmp_path):
    from plots import search_history
    from plots.lib.figure import render

    folder = StudyFolder(tmp_path / "study")
    write_trial(folder, 11)
    info = compute(Results([load_study(folder.root)]))
    assert info.data["best"].isna().all()
    assert render(search_history, info, ("png",))["png"].startswith(b"\x89PNG")

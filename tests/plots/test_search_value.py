import numpy as np
import pytest

from plots import search_value
from plots.lib.figure import MissingRecordsError
from study.analysis.results import Results
from study.records.folder import StudyFolder
from study.records.study import load_study
from tests.plots.tiny_study import write_run


def test_the_curve_rises_from_the_mean_towards_the_best(study):
    data = search_value.compute(Results([study])).data
    values = [trial.value for trial in study.complete_trials if trial.duplicate_of is None]
    assert data["expected"].iloc[0] == pytest.approx(np.mean(values))
    assert data["expected"].is_monotonic_increasing
    assert max(values) >= data["expected"].iloc[-1] > np.mean(values)
    assert (data["full_runs"].diff().dropna() > 0).all()


def test_one_complete_trial_has_no_curve(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    trial = {"number": 0, "state": "complete", "value": 0.1, "params": {"knn_k": 5}}
    write_run(folder.trial(0), seed=1, trial=trial)
    with pytest.raises(MissingRecordsError, match="fewer than two"):
        search_value.compute(Results([load_study(folder.root)]))

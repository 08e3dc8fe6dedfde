import pytest

from plots.lib.figure import MissingRecordsError
from plots.parallel_coordinates import compute
from study.analysis.results import Results
from study.records.folder import StudyFolder
from study.records.study import load_study
from tests.plots.tiny_study import draw_params, value_of, write_run


def test_the_best_trial_is_drawn_last_and_keeps_its_parameters(study):
    data = compute(Results([study])).data
    best = data.iloc[-1]
    assert best["value"] == data["value"].max() == value_of(draw_params(int(best["number"])))
    assert best["temperature"] == draw_params(int(best["number"]))["temperature"]


def test_truth_values_and_names_are_categories(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    for number, (clamp, rank) in enumerate([(True, None), (False, 8), (True, 16)]):
        params = {"club_clamp": clamp, "feature_rank": rank, "knn_k": 10}
        trial = {"number": number, "state": "complete", "value": 0.1 * number, "params": params}
        write_run(folder.trial(number), seed=1, epochs=1, users=3, trial=trial)
    data = compute(Results([load_study(folder.root)])).data
    assert data["club_clamp"].tolist() == ["True", "False", "True"]
    assert data["feature_rank"].tolist() == ["None", "8", "16"]
    assert "knn_k" not in data


def test_one_parameter_is_not_enough(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    for number in range(3):
        trial = {"number": number, "state": "complete", "value": 0.1, "params": {"knn_k": number + 1}}
        write_run(folder.trial(number), seed=1, epochs=1, users=3, trial=trial)
    with pytest.raises(MissingRecordsError, match="fewer than two parameters"):
        compute(Results([load_study(folder.root)]))


def test_of_equal_trials_the_earlier_is_the_best_as_everywhere(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    for number, value in enumerate([0.1, 0.3, 0.2, 0.3]):
        params = {"knn_k": number + 1, "gnn_layers": 4 - number}
        trial = {"number": number, "state": "complete", "value": value, "params": params}
        write_run(folder.trial(number), seed=1, epochs=1, users=3, trial=trial)
    assert compute(Results([load_study(folder.root)])).data["number"].tolist() == [0, 2, 3, 1]

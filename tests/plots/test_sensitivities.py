import numpy as np
import pytest

from plots.lib.figure import MissingRecordsError
from plots.sensitivities import compute
from study.analysis.results import Results
from study.records.study import load_study
from tests.plots.tiny_study import write_searches

pytestmark = pytest.mark.slow  # fits thousands of lines; the picture is tested with the others


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    return [load_study(folder) for folder in write_searches(tmp_path_factory.mktemp("results"), 2, trials=20)]


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr("plots.sensitivities.RESAMPLES", 40)


def test_a_few_values_are_shown_by_their_medians_in_percent_of_the_best_trial(studies):
    data = compute(Results(studies)).data
    trials = [trial for trial in studies[0].trials if trial.state == "complete" and trial.duplicate_of is None]
    best = max(trial.value for trial in trials)
    expected = [
        100 * (np.median([trial.value for trial in trials if trial.params["gnn_layers"] == layers]) / best - 1)
        for layers in (1, 2, 3, 4)
    ]
    shown = data[(data["dataset"] == studies[0].dataset) & (data["parameter"] == "gnn_layers")]
    np.testing.assert_allclose(shown["change"], expected, rtol=1e-12)


def test_the_line_finds_where_the_planted_score_is_best_and_lies_in_its_band(studies):
    data = compute(Results(studies)).data
    for _, line in data[data["parameter"] == "temperature"].groupby("dataset"):
        best = line.loc[line["change"].idxmax(), "x"]
        assert 0.1 < best < 0.4  # planted at 0.2
        band = line.dropna()  # it ends where most resampled lines do
        assert len(band) > 15
        assert ((band["low"] <= band["change"]) & (band["change"] <= band["high"])).mean() > 0.8


def test_one_dataset_is_not_enough(studies):
    with pytest.raises(MissingRecordsError, match="fewer than two datasets"):
        compute(Results([studies[0], studies[0]]))

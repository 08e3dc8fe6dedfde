import pytest

from plots.importances import compute
from plots.lib.figure import MissingRecordsError
from study.analysis.results import Results
from study.records.study import load_study
from tests.plots.tiny_study import SPACE, write_study


def test_every_searched_parameter_has_a_share_and_what_chance_gives(info_of):
    data = info_of("importances").data
    assert set(data["parameter"]) == set(SPACE)
    assert data["importance"].sum() == pytest.approx(1)
    assert data["importance"].is_monotonic_decreasing
    assert data["p"].between(0, 1).all()
    assert (data["p"] <= data["p_holm"]).all()
    assert data["chance"].between(0, 1).all()


def test_few_trials_have_no_importances(tmp_path):
    study = load_study(write_study(tmp_path, trials=9, seeds=1))
    with pytest.raises(MissingRecordsError, match="at least 10 completed trials, got 8"):
        compute(Results([study]))

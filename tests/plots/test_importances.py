import pytest

from plots.importances import compute
from plots.lib.figure import MissingRecordsError
from study.records.study import load_study
from tests.plots.tiny_study import SPACE, write_study


def test_every_searched_parameter_has_a_share_with_its_uncertainty(info_of):
    data = info_of("importances").data
    assert set(data["parameter"]) == set(SPACE)
    assert data["importance"].sum() == pytest.approx(1)
    assert data["importance"].is_monotonic_decreasing
    assert (data["low"] <= data["high"]).all()
    assert (data["chance"] == 1 / 9).all()


def test_few_trials_have_no_importances(tmp_path):
    study = load_study(write_study(tmp_path, trials=9, seeds=1))
    with pytest.raises(MissingRecordsError, match="at least 10 completed trials, got 8"):
        compute(study)

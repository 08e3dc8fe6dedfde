import numpy as np
import pytest
from scipy import stats

from plots.figure import MissingRecordsError
from plots.sweeps import compute
from study.records import load_study
from tests.plots.tiny_study import user_metrics, write_sweeps


def test_changes_are_paired_over_users_and_relative_to_the_best(tmp_path):
    data = compute([load_study(folder) for folder in write_sweeps(tmp_path)]).data
    row = data.query("parameter == 'temperature' and dataset == 'two' and x == 0.5").iloc[0]
    best, other = (user_metrics(999, 60, change).values["recall@20"] for change in (0.0, -0.01))
    expected = 100 * (other - best) / best.mean()
    half = stats.t.ppf(0.975, 59) * expected.std(ddof=1) / np.sqrt(60)
    assert row["value"] == pytest.approx(other.mean(), rel=1e-14)
    assert row["change"] == pytest.approx(expected.mean(), rel=1e-12)
    assert (row["low"], row["high"]) == pytest.approx((expected.mean() - half, expected.mean() + half), rel=1e-9)


def test_the_best_value_is_the_reference(tmp_path):
    data = compute([load_study(folder) for folder in write_sweeps(tmp_path)]).data
    best = data[data["change"] == 0]
    assert best["x"].tolist() == [0.2, 0.2, 0.5, 0.5]
    assert (best[["low", "high"]] == 0).all(axis=None)


def test_searches_over_many_parameters_are_no_sweeps(study):
    with pytest.raises(MissingRecordsError, match="no studies that sweep one parameter"):
        compute([study, study])

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from plots import sweeps
from plots.lib.figure import MissingRecordsError, canvas
from plots.lib.style import paper_style
from plots.sweeps import compute
from study.analysis.results import Results
from study.records.folder import StudyFolder
from study.records.study import load_study
from tests.plots.drawn_text import drawn_text, overlaps
from tests.plots.tiny_study import user_metrics, write_run, write_sweeps


def test_changes_are_paired_over_users_and_relative_to_the_best(tmp_path):
    data = compute(Results([load_study(folder) for folder in write_sweeps(tmp_path)])).data
    row = data.query("parameter == 'temperature' and dataset == 'two' and x == 0.5").iloc[0]
    best, other = (user_metrics(999, 60, change).values["recall@20"] for change in (0.0, -0.01))
    expected = 100 * (other - best) / best.mean()
    half = stats.t.ppf(0.975, 59) * expected.std(ddof=1) / np.sqrt(60)
    assert row["value"] == pytest.approx(other.mean(), rel=1e-14)
    assert row["change"] == pytest.approx(expected.mean(), rel=1e-12)
    assert (row["low"], row["high"]) == pytest.approx((expected.mean() - half, expected.mean() + half), rel=1e-9)


def test_the_best_value_is_the_reference(tmp_path):
    data = compute(Results([load_study(folder) for folder in write_sweeps(tmp_path)])).data
    best = data[data["change"] == 0]
    assert best["x"].tolist() == [0.2, 0.2, 0.5, 0.5]
    assert (best[["low", "high"]] == 0).all(axis=None)


def test_searches_over_many_parameters_are_no_sweeps(study):
    with pytest.raises(MissingRecordsError, match="no studies that sweep one parameter"):
        compute(Results([study, study]))


def test_every_value_has_a_tick_and_labels_do_not_meet(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    folder.root.mkdir(parents=True)
    values = [n / 20 for n in range(1, 20)]
    identity = {"dataset": "one", "space": {"split_ratio": {"choices": values}}, "metric": "recall@20"}
    folder.identity.write_text(yaml.safe_dump(identity))
    for number, value in enumerate(values):
        trial = {"number": number, "state": "complete", "value": 0.1 - 0.001 * number, "params": {"split_ratio": value}}
        write_run(folder.trial(number), seed=1, epochs=1, change=-0.001 * number, trial=trial)
    with paper_style():
        figure = canvas(sweeps, compute(Results([load_study(folder.root)] * 3)))
        texts = drawn_text(figure)
    assert figure.axes[0].get_xticks().tolist() == values
    assert overlaps(texts) == []


def test_datasets_stand_side_by_side_at_each_value():
    x, whole = pd.Series([0.1, 1.0]), pd.Series([0.01, 1.0])
    assert sweeps._moved(x, whole, 0.5, log=True).tolist() == pytest.approx([1.0, 10.0])
    assert sweeps._moved(x, whole, 0.1, log=False).tolist() == pytest.approx([0.199, 1.099])

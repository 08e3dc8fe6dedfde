import numpy as np
import pytest

from plots import path
from plots.lib.figure import MissingRecordsError, canvas
from plots.lib.style import paper_style
from study.analysis.comparisons import WHOLE
from study.analysis.results import Results
from study.records.study import load_study
from tests.plots.tiny_study import write_walked


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    return Results([load_study(write_walked(tmp_path_factory.mktemp("walked")))])


@pytest.mark.slow
def test_each_bar_leads_from_one_level_to_the_next(walked):
    data = path.compute(walked).data
    assert data["label"].tolist()[1:] == [
        "learning rate 0.0005 → 0.0001",
        "GNN layers 3 → 2",
        "temperature 0.5 → 0.2",
    ]
    np.testing.assert_allclose(data["before"][1:], data["level"][:-1])
    np.testing.assert_allclose(data["before"][1:] + data["difference"][1:], data["level"][1:])
    means = data.filter(like="seed ").mean(axis=1)[1:]
    np.testing.assert_allclose(means, data["difference"][1:])


def test_the_intervals_are_those_of_the_comparisons(walked):
    data = path.compute(walked).data
    lines = [line for line in walked.path if line.metric == "recall@20" and line.arm != WHOLE]
    assert data["low"][1:].tolist() == [line.low for line in lines]
    assert data["high"][1:].tolist() == [line.high for line in lines]


def test_losses_look_different_from_gains(walked):
    info = path.compute(walked)
    with paper_style():
        bars = [bar for bar in canvas(path, info).axes[0].patches if bar.get_width()]
    signs = np.sign(info.data["difference"][1:]).tolist()
    assert [bar.get_hatch() for bar in bars] == ["" if sign > 0 else "////" for sign in signs]
    assert 0 < signs.count(-1) < len(signs)


def test_a_study_without_a_path_has_no_figure(study):
    with pytest.raises(MissingRecordsError, match="run_path"):
        path.compute(Results([study]))

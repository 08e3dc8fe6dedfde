import numpy as np
import pytest
import yaml

from plots import sensitivity
from plots.lib.figure import MissingRecordsError, canvas
from plots.lib.style import COLUMN, PAGE, paper_style
from plots.sensitivity import compute
from study.analysis.results import Results
from study.records.folder import StudyFolder
from study.records.study import load_study
from tests.plots.drawn_text import clipped, drawn_text, overlaps
from tests.plots.tiny_study import SPACE, draw_params, value_of, write_run

COMPLETE = [n for n in range(30) if n % 7 != 3 and n not in (11, 12)]  # 12 repeats 4


def test_every_complete_trial_is_a_point_in_every_panel(study):
    data = compute(Results([study])).data
    assert list(dict.fromkeys(data["parameter"])) == list(SPACE)
    for name, part in data.groupby("parameter"):
        expected = {n: (draw_params(n)[name], value_of(draw_params(n))) for n in COMPLETE}
        assert {n: (x, value) for n, x, value in zip(part["number"], part["x"], part["value"], strict=True)} == expected


def test_parameters_with_few_values_show_medians(study):
    part = compute(Results([study])).data.query("parameter == 'knn_k'")
    medians = part.groupby("x")["value"].median()
    assert (part["trend"] == part["x"].map(medians)).all()


def test_the_trend_finds_the_planted_optimum_of_the_temperature(study):
    part = compute(Results([study])).data.query("parameter == 'temperature'")
    assert 0.1 < part.loc[part["trend"].idxmax(), "x"] < 0.4


def test_the_axis_is_logarithmic_where_the_search_was(study):
    assert compute(Results([study])).log_scaled == {
        "alignment_weight",
        "distance_weight",
        "temperature",
        "learning_rate",
    }


def test_one_outlier_does_not_bend_the_trend(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    for number in range(20):
        value = 0.0 if number == 10 else 0.1 + 0.001 * number
        trial = {"number": number, "state": "complete", "value": value, "params": {"split_ratio": 0.1 + number / 40}}
        write_run(folder.trial(number), seed=1, epochs=1, users=3, trial=trial)
    trend = compute(Results([load_study(folder.root)])).data["trend"].to_numpy()
    assert trend[10] == pytest.approx(0.11, abs=5e-4)


def test_trials_that_do_not_differ_have_no_sensitivity(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    trial = {"number": 0, "state": "complete", "value": 0.1, "params": {"knn_k": 5}}
    write_run(folder.trial(0), seed=1, trial=trial)
    with pytest.raises(MissingRecordsError, match="differ in a parameter"):
        compute(Results([load_study(folder.root)]))


def few_trials(root, values, name="split_ratio"):
    """A search of one parameter with these values, in order, each a little better than the last."""
    folder = StudyFolder(root / "study")
    for number, value in enumerate(values):
        trial = {"number": number, "state": "complete", "value": 0.1 + 0.01 * number, "params": {name: value}}
        write_run(folder.trial(number), seed=1, epochs=1, users=3, trial=trial)
    space = {name: {"low": min(values), "high": max(values), "log": name == "learning_rate"}}
    folder.identity.write_text(yaml.safe_dump({"dataset": "tiny", "space": space, "metric": "recall@20"}))
    return load_study(folder.root)


@pytest.mark.parametrize("count", [5, 7, 8, 11])
def test_a_handful_of_trials_has_no_trend(count, tmp_path):
    info = compute(Results([few_trials(tmp_path, np.linspace(0.1, 0.9, count).tolist())]))
    assert info.data["trend"].isna().all()
    with paper_style():
        figure = canvas(sensitivity, info)
        labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["complete trial", "best trial"]


def test_medians_are_not_joined_and_single_trials_have_none(tmp_path):
    info = compute(Results([few_trials(tmp_path, [5, 5, 5, 10, 10, 20, 20, 20, 20], name="knn_k")]))
    trend = info.data.groupby("x")["trend"].first()
    assert trend.to_dict() == pytest.approx({5: 0.11, 10: float("nan"), 20: 0.165}, nan_ok=True)
    with paper_style():
        lines = [line for line in canvas(sensitivity, info).axes[0].lines if line.get_label() == "trend"]
    assert [line.get_linestyle() for line in lines] == ["None"]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1e-4, 1e-2, ["0.0001", "0.001", "0.01"]),
        (1.1e-3, 8e-3, ["0.002", "0.005"]),
        (2.5e-4, 2.3e-3, ["0.0005", "0.002"]),
        (1.9e-4, 3.5e-3, ["0.0002", "0.002"]),
        (3.1e-3, 4.4e-3, ["0.0032", "0.004"]),
    ],
)
def test_a_logarithmic_axis_has_labels_whatever_its_range(low, high, expected, tmp_path):
    info = compute(Results([few_trials(tmp_path, [low, (low + high) / 2, high], name="learning_rate")]))
    assert info.log_scaled == {"learning_rate"}
    with paper_style():
        figure = canvas(sensitivity, info)
        axis = figure.axes[0].xaxis
        left, right = figure.axes[0].get_xlim()
        shown = [
            t.get_text()
            for t, at in zip(axis.get_ticklabels(), axis.get_ticklocs(), strict=True)
            if left <= at <= right
        ]
        assert overlaps(drawn_text(figure)) == []
    assert shown == expected


@pytest.mark.parametrize(("count", "width"), [(1, COLUMN), (2, COLUMN), (3, PAGE)])
def test_two_parameters_fit_in_a_column(count, width, tmp_path):
    folder = StudyFolder(tmp_path / "study")
    for number in range(5):
        params = dict.fromkeys(list(SPACE)[:count], 0.1 + 0.1 * number)
        trial = {"number": number, "state": "complete", "value": 0.1 + 0.01 * number, "params": params}
        write_run(folder.trial(number), seed=1, epochs=1, users=3, trial=trial)
    info = compute(Results([load_study(folder.root)]))
    assert sensitivity.size(info)[0] == width
    with paper_style():
        figure = canvas(sensitivity, info)
        texts = drawn_text(figure)
    assert overlaps(texts) == []
    assert clipped(figure, texts) == []

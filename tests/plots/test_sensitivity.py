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
from tests.plots.tiny_study import SPACE, draw_params, value_of, write_run, write_study

COMPLETE = [n for n in range(30) if n % 7 != 3 and n not in (11, 12)]  # 12 repeats 4


def trials_of(info):
    return info.data[info.data["kind"] == "trial"]


def curve_of(info, name):
    return info.data[(info.data["kind"] == "surrogate") & (info.data["parameter"] == name)]


@pytest.fixture(scope="module")
def informed(tmp_path_factory):
    """A search long enough for a surrogate, of the same formula as the small study."""
    return compute(Results([load_study(write_study(tmp_path_factory.mktemp("long"), trials=60))]))


def test_every_complete_trial_is_a_point_in_every_panel(study):
    data = trials_of(compute(Results([study])))
    assert list(dict.fromkeys(data["parameter"])) == list(SPACE)
    for name, part in data.groupby("parameter"):
        expected = {n: (draw_params(n)[name], value_of(draw_params(n))) for n in COMPLETE}
        assert {n: (x, value) for n, x, value in zip(part["number"], part["x"], part["value"], strict=True)} == expected


def test_the_surrogate_finds_the_planted_optimum_of_the_temperature(informed):
    curve = curve_of(informed, "temperature").dropna(subset="value")
    assert informed.explained > 0.5
    assert 0.1 < curve.loc[curve["value"].idxmax(), "x"] < 0.4
    assert (curve["low"] <= curve["value"]).all()
    assert (curve["value"] <= curve["high"]).all()


def test_a_parameter_that_does_nothing_is_flat_beside_one_that_does(informed):
    reach = {name: np.ptp(curve_of(informed, name)["value"].dropna()) for name in ("temperature", "image_weight")}
    assert reach["image_weight"] < 0.3 * reach["temperature"]


def test_few_values_have_bars_that_are_not_joined(informed):
    assert sorted(curve_of(informed, "knn_k")["x"]) == [5, 10, 20]
    with paper_style():
        panel = canvas(sensitivity, informed).axes[list(SPACE).index("knn_k")]
    assert [line.get_linestyle() for line in panel.lines if line.get_label() != "best trial"] == ["None"] * len(
        [line for line in panel.lines if line.get_label() != "best trial"]
    )
    assert panel.containers


def test_the_axis_is_logarithmic_where_the_search_was(study):
    assert compute(Results([study])).log_scaled == {
        "alignment_weight",
        "distance_weight",
        "temperature",
        "learning_rate",
    }


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


@pytest.mark.parametrize("count", [5, 8, 14])
def test_a_handful_of_trials_is_points_alone(count, tmp_path):
    info = compute(Results([few_trials(tmp_path, np.linspace(0.1, 0.9, count).tolist())]))
    assert (info.data["kind"] == "trial").all()
    assert np.isnan(info.explained)
    with paper_style():
        labels = [text.get_text() for text in canvas(sensitivity, info).legends[0].get_texts()]
    assert labels == ["complete trial", "best trial"]


def test_trials_that_say_nothing_of_the_next_one_are_points_alone(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    rng = np.random.default_rng(0)
    for number in range(25):
        params = {"split_ratio": float(rng.uniform(0.1, 0.9)), "temperature": float(rng.uniform(0.1, 0.9))}
        trial = {"number": number, "state": "complete", "value": float(rng.normal(0.1, 0.01)), "params": params}
        write_run(folder.trial(number), seed=1, epochs=1, users=3, trial=trial)
    assert (compute(Results([load_study(folder.root)])).data["kind"] == "trial").all()


def test_no_line_crosses_a_stretch_without_trials(tmp_path):
    low, high = np.linspace(0.1, 0.25, 12), np.linspace(0.75, 0.9, 12)
    info = compute(Results([few_trials(tmp_path, [*low.tolist(), *high.tolist()])]))
    curve = curve_of(info, "split_ratio")
    inside = curve["x"].between(0.4, 0.6)
    assert inside.any()
    assert curve.loc[inside, "value"].isna().all()
    assert curve.loc[curve["x"] < 0.25, "value"].notna().all()


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

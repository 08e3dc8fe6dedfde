import pytest

from plots import sensitivity
from plots.lib.figure import MissingRecordsError, canvas
from plots.lib.style import COLUMN, PAGE, paper_style
from plots.sensitivity import compute
from study.records.folder import StudyFolder
from study.records.study import load_study
from tests.plots.drawn_text import clipped, drawn_text, overlaps
from tests.plots.tiny_study import SPACE, draw_params, value_of, write_run

COMPLETE = [n for n in range(30) if n % 7 != 3 and n not in (11, 12)]  # 12 repeats 4


def test_every_complete_trial_is_a_point_in_every_panel(study):
    data = compute(study).data
    assert list(dict.fromkeys(data["parameter"])) == list(SPACE)
    for name, part in data.groupby("parameter"):
        expected = {n: (draw_params(n)[name], value_of(draw_params(n))) for n in COMPLETE}
        assert {n: (x, value) for n, x, value in zip(part["number"], part["x"], part["value"], strict=True)} == expected


def test_parameters_with_few_values_show_medians(study):
    part = compute(study).data.query("parameter == 'knn_k'")
    medians = part.groupby("x")["value"].median()
    assert (part["trend"] == part["x"].map(medians)).all()


def test_the_trend_finds_the_planted_optimum_of_the_temperature(study):
    part = compute(study).data.query("parameter == 'temperature'")
    assert 0.1 < part.loc[part["trend"].idxmax(), "x"] < 0.4


def test_the_axis_is_logarithmic_where_the_search_was(study):
    assert compute(study).log_scaled == {"alignment_weight", "distance_weight", "temperature", "learning_rate"}


def test_one_outlier_does_not_bend_the_trend(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    for number in range(20):
        value = 0.0 if number == 10 else 0.1 + 0.001 * number
        trial = {"number": number, "state": "complete", "value": value, "params": {"split_ratio": 0.1 + number / 40}}
        write_run(folder.trial(number), seed=1, epochs=1, users=3, trial=trial)
    trend = compute(load_study(folder.root)).data["trend"].to_numpy()
    assert trend[10] == pytest.approx(0.11, abs=5e-4)


def test_trials_that_do_not_differ_have_no_sensitivity(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    trial = {"number": 0, "state": "complete", "value": 0.1, "params": {"knn_k": 5}}
    write_run(folder.trial(0), seed=1, trial=trial)
    with pytest.raises(MissingRecordsError, match="differ in a parameter"):
        compute(load_study(folder.root))


@pytest.mark.parametrize(("count", "width"), [(1, COLUMN), (2, COLUMN), (3, PAGE)])
def test_two_parameters_fit_in_a_column(count, width, tmp_path):
    folder = StudyFolder(tmp_path / "study")
    for number in range(5):
        params = dict.fromkeys(list(SPACE)[:count], 0.1 + 0.1 * number)
        trial = {"number": number, "state": "complete", "value": 0.1 + 0.01 * number, "params": params}
        write_run(folder.trial(number), seed=1, epochs=1, users=3, trial=trial)
    info = compute(load_study(folder.root))
    assert sensitivity.size(info)[0] == width
    with paper_style():
        figure = canvas(sensitivity, info)
        texts = drawn_text(figure)
    assert overlaps(texts) == []
    assert clipped(figure, texts) == []

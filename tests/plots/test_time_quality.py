import pytest

from plots.time_quality import compute
from study.analysis.results import Results
from study.records.folder import StudyFolder
from study.records.study import load_study
from tests.plots.tiny_study import write_run


def test_the_front_is_what_nothing_as_fast_beats(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    for number, (pace, value) in enumerate([(1, 0.1), (1, 0.2), (2, 0.15), (3, 0.3), (4, 0.3)]):
        trial = {"number": number, "state": "complete", "value": value, "params": {}}
        write_run(folder.trial(number), seed=1, epochs=2, users=3, pace=pace, trial=trial)
    data = compute(Results([load_study(folder.root)])).data.set_index("name")
    assert data["seconds"].to_dict() == {"trial 0": 2, "trial 1": 2, "trial 2": 4, "trial 3": 6, "trial 4": 8}
    assert data.index[data["front"]].tolist() == ["trial 1", "trial 3"]


def test_repeated_trials_cost_nothing_and_are_left_out(study):
    assert "trial 12" not in compute(Results([study])).data["name"].tolist()


def test_arms_are_means_over_seeds(study):
    arms = compute(Results([study])).data.query("kind == 'arm'").set_index("name")
    assert arms["seconds"].to_dict() == pytest.approx(
        {"SEA (full)": 45, "w/o CLUB": 39, "w/o Solosim": 27, "w/o both": 24}
    )

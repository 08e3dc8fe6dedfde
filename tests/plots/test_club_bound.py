import pytest

from plots.club_bound import compute
from plots.lib.figure import MissingRecordsError
from sea_core.config import Config
from study.analysis.results import Results
from study.records.folder import StudyFolder
from study.records.study import load_study
from tests.plots.tiny_study import write_run


def test_bound_and_clamping_are_those_of_the_runs(study):
    data = compute(Results([study])).data
    history = study.winner[1].history
    part = data.query("modality == 'text' and seed == 1002")
    assert part["bound"].tolist() == history["bound_text"].tolist()
    assert part["clamped"].tolist() == history["clamped_text"].tolist()
    assert 0 < data["clamped"].max() <= 1


def test_other_distances_are_no_bound(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    write_run(folder.winner(1), seed=1, config=Config(distancing="negative_l2"))
    with pytest.raises(MissingRecordsError, match="no winner trained with CLUB"):
        compute(Results([load_study(folder.root)]))

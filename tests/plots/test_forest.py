import pytest

from plots.forest import compute
from plots.lib.figure import MissingRecordsError
from study.analysis.comparisons import to_frame
from study.analysis.results import Results
from study.records.study import load_study
from tests.study.results import write_arms

ARMS = {"full": 0.0, "no-club": 0.01, "no-solosim": -0.1}


def test_changes_are_the_tables_differences_in_percent_of_the_full_model(tmp_path):
    studies = [load_study(write_arms(tmp_path / name, ARMS, dataset=name)) for name in ("one", "two")]
    info = compute(Results(studies))
    rows = to_frame(Results(studies).arms).query("metric == 'recall@20'").set_index(["dataset", "arm"])
    assert len(info.data) == 4
    for row in info.data.itertuples():
        expected = rows.loc[(row.dataset, row.arm)]
        scale = 100 / expected["reference_mean"]
        assert (row.change, row.low, row.high) == pytest.approx(
            tuple(scale * expected[name] for name in ("difference", "low", "high")), rel=1e-12
        )
        assert (row.p_adjusted, row.verdict) == (expected["p_adjusted"], expected["verdict"])


def test_the_best_arm_comes_first(tmp_path):
    studies = [load_study(write_arms(tmp_path / name, ARMS, dataset=name)) for name in ("one", "two")]
    assert compute(Results(studies)).data["arm"].tolist() == ["no-club"] * 2 + ["no-solosim"] * 2


def test_two_studies_of_one_dataset_are_told_apart_by_their_names(tmp_path):
    studies = [load_study(write_arms(tmp_path / name, ARMS)) for name in ("one", "two")]
    assert set(compute(Results(studies)).data["dataset"]) == {"one", "two"}


def test_one_study_with_arms_is_not_enough(tmp_path):
    studies = [load_study(write_arms(tmp_path / "one", ARMS)), load_study(write_arms(tmp_path / "two", {"full": 0.0}))]
    with pytest.raises(MissingRecordsError, match="fewer than two studies"):
        compute(Results(studies))

import numpy as np
import pytest

from plots import ablation
from plots.ablation import COMPARED, compute
from plots.lib.figure import MissingRecordsError, render
from sea_core.errors import UserError
from sea_core.run_folder import RECEIPT
from study.analysis.comparisons import to_frame
from study.analysis.results import Results
from study.records.folder import StudyFolder
from study.records.study import load_study
from tests.plots.tiny_study import user_metrics, write_run


def write_arms(folder: StudyFolder, changes: dict[str, float], *, seeds=(1, 2, 3), mode="frozen") -> None:
    for arm, change in changes.items():
        for seed in seeds:
            write_run(folder.ablation(mode, arm, seed), seed=seed, test=True, change=change, arm=arm, mode=mode)


@pytest.mark.slow
def test_values_are_means_over_users_and_seeds(study):
    row = compute(Results([study])).data.query("metric == 'ndcg@20' and arm == 'no-club'").iloc[0]
    means = [user_metrics(seed, 60, -0.004).means()["ndcg@20"] for seed in (1001, 1002, 1003)]
    assert row["value"] == pytest.approx(np.mean(means), rel=1e-14)
    assert [row[f"seed {seed}"] for seed in (1001, 1002, 1003)] == pytest.approx(means, rel=1e-14)


@pytest.mark.slow
def test_differences_are_the_ones_the_tables_show(study):
    expected = to_frame(Results([study]).arms).set_index(["metric", "arm"])
    data = compute(Results([study])).data.query("arm != 'full'").set_index(["metric", "arm"])
    assert len(data) == len(expected) == 12
    for column in COMPARED:
        assert data[column].to_dict() == expected[column].to_dict()


def test_the_full_model_comes_first_and_the_most_harmful_arm_last(study):
    assert compute(Results([study])).data["arm"].unique().tolist() == ["full", "no-club", "no-solosim", "no-both"]


def test_one_seed_is_drawn_without_an_interval(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    write_arms(folder, {"full": 0.0, "no-club": -0.01}, seeds=(1,))
    info = compute(Results([load_study(folder.root)]))
    assert info.data.query("arm == 'no-club'")["low"].isna().all()
    assert render(ablation, info, ("png",))


def test_both_modes_are_compared_with_their_own_full_model(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    write_arms(folder, {"full": 0.0, "no-club": -0.01})
    write_arms(folder, {"full": -0.02, "no-club": -0.01}, mode="retuned")
    signs = compute(Results([load_study(folder.root)])).data.query("arm == 'no-club' and metric == 'recall@20'")
    assert dict(zip(signs["mode"], np.sign(signs["difference"]), strict=True)) == {"frozen": -1, "retuned": 1}


@pytest.mark.parametrize("changes", [{}, {"no-club": -0.01}, {"full": 0.0}])
def test_an_ablation_needs_the_full_model_and_an_arm(tmp_path, changes):
    folder = StudyFolder(tmp_path / "study")
    write_run(folder.winner(1), seed=1)
    write_arms(folder, changes)
    with pytest.raises(MissingRecordsError):
        compute(Results([load_study(folder.root)]))


def test_test_metrics_without_a_receipt_are_not_drawn(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    write_arms(folder, {"full": 0.0, "no-club": -0.01})
    (folder.ablation("frozen", "no-club", 2) / RECEIPT).unlink()
    with pytest.raises(UserError, match="no receipt"):
        compute(Results([load_study(folder.root)]))

import numpy as np
import pytest

from plots.convergence import compute
from plots.lib.figure import MissingRecordsError
from study.analysis.results import Results
from study.records.folder import StudyFolder
from study.records.study import load_study
from tests.plots.tiny_study import write_trial


def test_mean_and_range_are_those_of_the_seeds(study):
    data = compute(Results([study])).data.query("quantity == 'recall@20'").set_index("epoch")
    seeds = [run.history.set_index("epoch")["recall@20"] for run in study.winner]
    assert data.loc[7, "mean"] == pytest.approx(np.mean([seed[7] for seed in seeds]), rel=1e-15)
    assert data.loc[7, "low"] == min(seed[7] for seed in seeds)
    assert data.loc[7, "high"] == max(seed[7] for seed in seeds)


def test_the_mean_ends_with_the_first_seed_that_stopped(study):
    data = compute(Results([study])).data.query("quantity == 'bpr'").set_index("epoch")
    shortest, longest = (f(len(run.history) for run in study.winner) for f in (min, max))
    assert shortest < longest == len(data)
    assert data["mean"].last_valid_index() == shortest - 1


def test_the_watched_metric_comes_first_and_clubs_own_fit_is_elsewhere(study):
    quantities = list(dict.fromkeys(compute(Results([study])).data["quantity"]))
    assert quantities == ["recall@20", "bpr", "distance_image", "distance_text", "alignment", "total"]


def test_without_a_winner_the_best_complete_trial_is_shown(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    for number in (3, 4, 15):  # 3 is pruned
        write_trial(folder, number)
    study = load_study(folder.root)
    best = max((trial for trial in study.trials if trial.state == "complete"), key=lambda trial: trial.value)
    info = compute(Results([study]))
    assert info.best_epochs == {"seed 999": best.best_epoch}
    assert info.data.query("quantity == 'total'")["seed 999"].tolist() == best.history["total"].tolist()


def test_pruned_and_failed_trials_have_no_convergence(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    write_trial(folder, 3)
    with pytest.raises(MissingRecordsError, match="no winner and no complete trial"):
        compute(Results([load_study(folder.root)]))

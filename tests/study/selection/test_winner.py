"""Controls beside the winner: trials that nobody selected, on its fresh seeds."""

from pathlib import Path

import pytest
from optuna.distributions import IntDistribution
from optuna.trial import FrozenTrial, create_trial

from sea_core.config import Config
from sea_core.run_folder import TEST
from study.records.folder import StudyFolder
from study.records.study import load_study
from study.selection.winner import Winner, control_runs

BASE = Config()
DATASET = "synthetic:users=30,items=30,interactions=8,dims=6/5"


def trials(count: int) -> list[FrozenTrial]:
    made = []
    for number in range(count):
        distributions = {"knn_k": IntDistribution(1, 50)}
        trial = create_trial(params={"knn_k": number + 1}, distributions=distributions, value=1.0 - number / 100)
        trial.number = number
        made.append(trial)
    return made


def numbers(count: int, *, of: int = 9, seed: int = 999) -> list[int]:
    winner = Winner(0, BASE.override(knn_k=1), [11, 12])
    runs = control_runs(StudyFolder(Path("s")), trials(of), winner, base=BASE, seed=seed, count=count)
    assert [run.seed for run in runs] == [11, 12] * (len(runs) // 2)
    assert all(run.config == BASE.override(knn_k=run.extra["trial"]["number"] + 1) for run in runs)
    assert not any(run.opens_test for run in runs)
    return [run.extra["trial"]["number"] for run in runs[::2]]


def test_controls_are_drawn_from_all_but_the_winner_and_stay_when_more_are_wanted() -> None:
    three, five = numbers(3), numbers(5)
    assert len(three) == 3
    assert set(three) < set(five)
    assert 0 not in five
    assert numbers(100) == list(range(1, 9))
    assert numbers(0) == []
    assert {tuple(numbers(3, seed=seed)) for seed in range(20)} != {tuple(three)}


@pytest.mark.slow
def test_controls_train_on_the_winners_seeds_and_never_see_test(tmp_path: Path) -> None:
    from study.run_search import main

    small = ["--set", "latent_dim=4", "item_mlp_hidden=4", "club_steps=1", "knn_k=3"]
    budget = ["--n-trials", "4", "--epochs", "2", "--final-epochs", "2", "--finalists", "1", "--fresh-seeds", "2"]
    command = ["-d", DATASET, "--study-name", "s", "--no-ablations", *budget, *small, "--out", str(tmp_path)]
    assert main([*command, "--controls", "2", "--quiet", "--threads", "1"]) == 0
    study = load_study(tmp_path / "s")
    assert len(study.controls) == 4
    assert {run.seed for run in study.controls} == {run.seed for run in study.winner}
    assert study.selection is not None
    assert study.selection.winner not in {run.number for run in study.controls}
    assert not any((run.folder / TEST).exists() for run in study.controls)
    assert "2 trials that nobody selected lost" in (tmp_path / "s" / "tables" / "selection.md").read_text()

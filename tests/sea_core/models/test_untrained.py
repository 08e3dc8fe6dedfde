"""What every model that needs no training promises."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sea_core.config import Config
from sea_core.data.dataset import Dataset, Interactions
from sea_core.evaluation.full_ranking import FullRanking
from sea_core.models.registry import find_model, model_names
from sea_core.training.run import TrainingRun

UNTRAINED = [name for name in model_names() if not find_model(name).trains]


@pytest.fixture
def dataset():
    rng = np.random.default_rng(0)
    chosen = np.array([[user, item] for user in range(30) for item in rng.permutation(20)[:8]])
    train, valid = np.arange(len(chosen)) % 8 < 6, np.arange(len(chosen)) % 8 >= 6
    features = {"text": rng.standard_normal((21, 4)).astype(np.float32)}  # item 20 is nobody's
    return Dataset("d", "", 30, 21, Interactions(*chosen[train].T), Interactions(*chosen[valid].T), features)


def scorer_of(name, data):
    return TrainingRun(Config.from_mapping({"model": name}), data, seed=0)._untrained_scorer()


@pytest.mark.parametrize("name", UNTRAINED)
def test_scores_are_finite_and_the_same_for_a_user_in_any_company(name, dataset):
    scorer = scorer_of(name, dataset)
    together = scorer(torch.arange(dataset.users))
    assert together.isfinite().all()
    for user in range(dataset.users):
        torch.testing.assert_close(scorer(torch.tensor([user]))[0], together[user], rtol=0, atol=0)


@pytest.mark.parametrize("name", UNTRAINED)
def test_it_reads_training_interactions_alone(name, dataset):
    other = replace(dataset, valid=Interactions(dataset.valid.user[::-1], dataset.valid.item), features={})
    users = torch.arange(dataset.users)
    torch.testing.assert_close(scorer_of(name, dataset)(users), scorer_of(name, other)(users), rtol=0, atol=0)


@pytest.mark.parametrize("name", UNTRAINED)
def test_it_is_evaluated_to_the_same_bits_twice(name, dataset):
    split = FullRanking(dataset.train_matrix, dataset.valid)
    first, second = (split.evaluate(scorer_of(name, dataset)).values for _ in range(2))
    assert all(np.array_equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("name", UNTRAINED)
def test_its_run_is_done_after_one_epoch_without_losses(name, dataset):
    run = TrainingRun(Config.from_mapping({"model": name}), dataset, seed=0)
    report = run.advance()
    assert run.finished
    assert report.losses == {}
    assert report.improved
    users = torch.arange(dataset.users)
    torch.testing.assert_close(run.scorer()(users), scorer_of(name, dataset)(users), rtol=0, atol=0)

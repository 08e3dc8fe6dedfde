"""What every baseline promises."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sea_core.baselines import BASELINES
from sea_core.data.dataset import Dataset, Interactions
from sea_core.evaluation.full_ranking import FullRanking


@pytest.fixture
def dataset():
    rng = np.random.default_rng(0)
    chosen = np.array([[user, item] for user in range(30) for item in rng.permutation(20)[:8]])
    train, valid = np.arange(len(chosen)) % 8 < 6, np.arange(len(chosen)) % 8 >= 6
    features = {"text": rng.standard_normal((21, 4)).astype(np.float32)}  # item 20 is nobody's
    return Dataset("d", "", 30, 21, Interactions(*chosen[train].T), Interactions(*chosen[valid].T), features)


@pytest.mark.parametrize("name", BASELINES)
def test_scores_are_finite_and_the_same_for_a_user_in_any_company(name, dataset):
    scorer = BASELINES[name](dataset)
    together = scorer(torch.arange(dataset.users))
    assert together.isfinite().all()
    for user in range(dataset.users):
        torch.testing.assert_close(scorer(torch.tensor([user]))[0], together[user], rtol=0, atol=0)


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_reads_training_interactions_alone(name, dataset):
    other = replace(dataset, valid=Interactions(dataset.valid.user[::-1], dataset.valid.item), features={})
    users = torch.arange(dataset.users)
    torch.testing.assert_close(BASELINES[name](dataset)(users), BASELINES[name](other)(users), rtol=0, atol=0)


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_is_evaluated_to_the_same_bits_twice(name, dataset):
    split = FullRanking(dataset.train_matrix, dataset.valid)
    first, second = (split.evaluate(BASELINES[name](dataset)).values for _ in range(2))
    assert all(np.array_equal(first[key], second[key]) for key in first)

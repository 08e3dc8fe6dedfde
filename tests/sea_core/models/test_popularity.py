"""Popularity on data whose right answer is known."""

import numpy as np
import torch

from sea_core.data.dataset import Interactions
from sea_core.evaluation.full_ranking import evaluate
from sea_core.models.popularity import popularity_scorer


def test_an_item_scores_the_number_of_its_users_for_everybody():
    train = Interactions(np.array([0, 1, 2, 0, 1, 2]), np.array([3, 3, 3, 1, 1, 0])).matrix(4, 5)
    scores = popularity_scorer(train)(torch.tensor([3, 0]))
    assert scores.tolist() == [[1, 2, 0, 3, 0]] * 2


def test_users_are_recommended_the_most_popular_items_they_do_not_have():
    train = Interactions(np.array([0, 1, 2, 1, 2]), np.array([0, 0, 0, 1, 1])).matrix(3, 4)
    # User 0 has the most popular item; next comes item 1, then 2 before 3, which tie.
    wanted = Interactions(np.array([0, 1]), np.array([1, 2]))
    result = evaluate(popularity_scorer(train), train=train, relevant=wanted, ks=(1,))
    assert result.values["recall@1"].tolist() == [1, 1]

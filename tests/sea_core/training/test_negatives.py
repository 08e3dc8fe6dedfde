import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from sea_core.data.dataset import Interactions
from sea_core.errors import UserError
from sea_core.streams import stream
from sea_core.training.negatives import NegativeSampler


def interactions(pairs: list[tuple[int, int]]) -> Interactions:
    return Interactions(*np.array(pairs, dtype=np.int64).T.copy())


def test_negatives_are_uniform_over_the_training_items_a_user_does_not_know() -> None:
    # Item 5 is never seen in training, so it is never drawn.
    train = interactions([(0, 0), (0, 1), (1, 2), (1, 3), (2, 4)])
    sampler = NegativeSampler(train, users=3, items=6)
    drawn = sampler.sample(torch.zeros(6000, dtype=torch.int64), stream(1, "test")).numpy()
    assert set(drawn.tolist()) == {2, 3, 4}
    assert chisquare(np.bincount(drawn)[2:]).pvalue > 1e-3


def test_a_user_who_knows_all_but_one_of_many_items_gets_that_one() -> None:
    pairs = [(0, item) for item in range(4999)] + [(1, 4999)]
    sampler = NegativeSampler(interactions(pairs), users=2, items=5000)
    assert sampler.sample(torch.zeros(20, dtype=torch.int64), stream(1, "test")).tolist() == [4999] * 20


def test_a_user_who_knows_every_training_item_is_an_error() -> None:
    with pytest.raises(UserError, match="user 1 has interacted with all 2 training items"):
        NegativeSampler(interactions([(0, 0), (1, 0), (1, 1)]), users=2, items=3)

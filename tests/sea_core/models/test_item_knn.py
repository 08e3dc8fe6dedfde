"""Item-kNN by hand, against a plain-Python twin with many ties, and where it must beat popularity."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sea_core.data.dataset import Interactions
from sea_core.evaluation.full_ranking import evaluate
from sea_core.models import item_knn
from sea_core.models.item_knn import item_knn_scorer, item_similarities
from sea_core.models.popularity import popularity_scorer


def matrix(rows):
    return Interactions(*(ids.astype(np.int64) for ids in np.nonzero(rows))).matrix(*np.shape(rows))


def naive_similarities(rows, neighbours, shrink):
    items = len(rows[0])
    users_of = [{user for user, row in enumerate(rows) if row[item]} for item in range(items)]
    result = np.zeros((items, items))
    for item in range(items):
        near = {}
        for other in range(items):
            both = len(users_of[item] & users_of[other])
            if other != item and both:
                near[other] = both / (math.sqrt(len(users_of[item]) * len(users_of[other])) + shrink)
        for other in sorted(near, key=lambda other: (-near[other], other))[:neighbours]:
            result[item, other] = near[other]
    return result


def test_similarities_worked_out_by_hand():
    rows = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 1, 0], [1, 0, 0, 0]])
    # Users of items: 4, 2, 2, 0. Items 0 and 1 share 2 users, 0 and 2 share 2, 1 and 2 share 1.
    near, far = 2 / (math.sqrt(8) + 1), 1 / (2 + 1)
    both = [[0, near, near, 0], [near, 0, far, 0], [near, far, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(item_similarities(matrix(rows), neighbours=2, shrink=1.0).toarray(), both)
    # One neighbour each: item 0 has two that tie and keeps the smaller id.
    nearest = [[0, near, 0, 0], [near, 0, 0, 0], [near, 0, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(item_similarities(matrix(rows), neighbours=1, shrink=1.0).toarray(), nearest)


def test_a_score_sums_the_users_items_among_the_neighbours():
    rows = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 1, 0], [1, 0, 0, 0]])
    near = 2 / math.sqrt(8)
    scores = item_knn_scorer(matrix(rows), neighbours=1, shrink=0.0)(torch.tensor([3, 0]))
    # With one neighbour each: item 0 listens to 1, items 1 and 2 to 0.
    np.testing.assert_allclose(scores, [[0, near, near, 0], [near, near, near, 0]])


@st.composite
def interaction_tables(draw):
    users, items = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    cells = draw(st.lists(st.booleans(), min_size=users * items, max_size=users * items))
    return np.array(cells).reshape(users, items)


@given(interaction_tables(), st.integers(1, 8), st.sampled_from([0.0, 0.5, 10.0]), st.integers(1, 3))
@settings(deadline=None, max_examples=100)
def test_similarities_and_scores_equal_the_plain_python_twin(rows, neighbours, shrink, block_rows):
    before, item_knn._BLOCK_SIMILARITIES = item_knn._BLOCK_SIMILARITIES, block_rows * rows.shape[1]
    try:
        actual = item_similarities(matrix(rows), neighbours=neighbours, shrink=shrink).toarray()
    finally:
        item_knn._BLOCK_SIMILARITIES = before
    expected = naive_similarities(rows, neighbours, shrink)
    np.testing.assert_array_equal(actual, expected)
    users = torch.arange(len(rows)).flip(0)
    scores = item_knn_scorer(matrix(rows), neighbours=neighbours, shrink=shrink)(users)
    np.testing.assert_allclose(scores, rows[::-1] @ expected.T, rtol=1e-12)


def test_two_camps_are_told_apart_where_popularity_sees_one():
    rng = np.random.default_rng(0)
    train, wanted = [], []
    for user in range(40):
        camp = rng.permutation(10) + 10 * (user % 2)
        train += [(user, item) for item in camp[:6]]
        wanted += [(user, item) for item in camp[6:]]
    matrix_, relevant = (Interactions(*np.array(pairs).T) for pairs in (train, wanted))
    options = {"train": matrix_.matrix(40, 20), "relevant": relevant, "ks": (4,)}
    knn = evaluate(item_knn_scorer(options["train"], neighbours=9, shrink=0.0), **options).means()
    popular = evaluate(popularity_scorer(options["train"]), **options).means()
    assert knn["recall@4"] == 1
    assert popular["recall@4"] < 0.6


@pytest.mark.parametrize(("neighbours", "shrink"), [(0, 0.0), (1, -1.0), (1, float("nan"))])
def test_illegal_parameters_are_refused(neighbours, shrink):
    with pytest.raises(ValueError, match="neighbours must be >= 1 and shrink >= 0"):
        item_knn_scorer(matrix(np.eye(2)), neighbours=neighbours, shrink=shrink)

"""Users that a part of the catalogue settles: nothing changes in the ranking of anybody, whatever the numbers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sea_core.evaluation import full_ranking, zero_hit_screening
from sea_core.evaluation.full_ranking import FullRanking, NonFiniteScoresError, embedding_scorer
from sea_core.evaluation.item_lists import ItemLists
from tests.reference.naive_ranking import naive_evaluate
from tests.sea_core.evaluation.test_full_ranking import interactions


@pytest.fixture
def half_leads(monkeypatch):
    monkeypatch.setattr(zero_hit_screening, "_LEADING_SHARE", 1 / 2)


def watched(user, item):
    """The scorer, the same without its embeddings known, and the users that the first is asked for."""
    scorer, asked = embedding_scorer(user, item), []

    class Watching(full_ranking.EmbeddingScorer):
        def __call__(self, users):
            asked.extend(users.tolist())
            return scorer(users)

    return Watching(user, item), lambda users: scorer(users), asked


def random_split(*, users, items, train_share, seed=0):
    rng = np.random.default_rng(seed)
    train = [(u, i) for u in range(users) for i in np.flatnonzero(rng.random(items) < train_share)]
    relevant = [(u, int(i)) for u in range(users) for i in rng.integers(0, items, 1 + u % 3)]
    return train, relevant


@given(seed=st.integers(0, 2**32 - 1), k=st.integers(1, 4), levels=st.integers(1, 3), data=st.data())
@settings(deadline=None, max_examples=60)
def test_tied_masked_and_nearly_fully_trained_users_are_ranked_as_by_the_plain_python_twin(seed, k, levels, data):
    rng = np.random.default_rng(seed)
    users, items = 9, 24
    # Small integers, so that every order of summation gives the same scores, and most of them tie.
    user, item = (torch.from_numpy(rng.integers(-levels, levels + 1, (n, 3))).float() for n in (users, items))
    train, relevant = random_split(users=users, items=items, train_share=0.2, seed=seed)
    train += [(0, i) for i in range(items - 2)]  # for whom fewer than K items are left
    before = (zero_hit_screening._LEADING_SHARE, zero_hit_screening._BLOCK_SCORES, full_ranking._LEAST_BLOCK_USERS)
    threads = torch.get_num_threads()
    zero_hit_screening._LEADING_SHARE, zero_hit_screening._BLOCK_SCORES = (
        1 / 2,
        data.draw(st.sampled_from([1, 30, 2**20])),
    )
    full_ranking._LEAST_BLOCK_USERS = data.draw(st.sampled_from([1, 4, 16]))
    torch.set_num_threads(data.draw(st.integers(1, 3)))
    try:
        split = FullRanking(interactions(train).matrix(users, items), interactions(relevant), (k,))
        result = split.evaluate(embedding_scorer(user, item))
    finally:
        zero_hit_screening._LEADING_SHARE, zero_hit_screening._BLOCK_SCORES, full_ranking._LEAST_BLOCK_USERS = before
        torch.set_num_threads(threads)
    expected = naive_evaluate((user @ item.T).numpy(), train, relevant, (k,))
    for row, number in enumerate(result.users.tolist()):
        actual = {key: value[row] for key, value in result.values.items()}
        assert actual == pytest.approx(expected[number], rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1e-30, 1e-18, 1.0, 1e15])
def test_most_users_are_settled_early_and_all_values_are_those_of_the_whole_ranking(half_leads, dtype, scale):
    users, items = 300, 200
    generator = torch.Generator().manual_seed(1)
    user, item = (torch.randn(n, 16, generator=generator, dtype=dtype) * scale for n in (users, items))
    train, relevant = random_split(users=users, items=items, train_share=0.05)
    split = FullRanking(interactions(train).matrix(users, items), interactions(relevant), (1, 3))
    scorer, plain, asked = watched(user, item)
    settled, whole = split.evaluate(scorer), split.evaluate(plain)
    for key, values in whole.values.items():
        np.testing.assert_array_equal(settled.values[key], values)
    if scale != 1e-30 or dtype == torch.float64:  # where float32 products vanish, all tie and all are ranked
        assert len(asked) < users / 2


def test_values_do_not_depend_on_the_number_of_threads(half_leads):
    generator = torch.Generator().manual_seed(2)
    user, item = (torch.randn(n, 16, generator=generator) for n in (300, 200))
    train, relevant = random_split(users=300, items=200, train_share=0.05)
    split = FullRanking(interactions(train).matrix(300, 200), interactions(relevant), (3, 10))
    before, results = torch.get_num_threads(), []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        results.append(split.evaluate(embedding_scorer(user, item)).values)
    torch.set_num_threads(before)
    for result in results:
        for key, values in result.items():
            np.testing.assert_array_equal(values, results[0][key])


def test_items_with_equal_embeddings_never_settle_anything(half_leads):
    generator = torch.Generator().manual_seed(3)
    user, item = torch.randn(50, 64, generator=generator), torch.randn(1, 64, generator=generator).expand(40, -1)
    scorer, _, asked = watched(user, item.contiguous())
    relevant = interactions([(u, 39) for u in range(50)])
    FullRanking(interactions([]).matrix(50, 40), relevant, (2,)).evaluate(scorer)
    assert sorted(asked) == list(range(50))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e38])
@pytest.mark.parametrize("table", ["user", "item"])
def test_a_score_that_is_not_finite_is_found_though_the_user_would_be_settled(half_leads, value, table):
    tables = {"user": torch.ones(5, 4), "item": torch.arange(40.0).flip(0)[:, None].expand(-1, 4).clone()}
    tables[table][-1] = value
    scorer, _, _ = watched(tables["user"] * 10, tables["item"])
    relevant = interactions([(u, 38) for u in range(5)])
    with pytest.raises(NonFiniteScoresError, match="for user"):
        FullRanking(interactions([]).matrix(5, 40), relevant, (2,)).evaluate(scorer)


def test_nobody_is_settled_while_products_may_be_rounded_to_less_than_their_dtype(half_leads):
    scorer, _, asked = watched(torch.ones(5, 1), torch.arange(40.0).flip(0)[:, None])
    split = FullRanking(interactions([]).matrix(5, 40), interactions([(u, 39) for u in range(5)]), (2,))
    split.evaluate(scorer)
    assert asked == []
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        split.evaluate(scorer)
    finally:
        torch.set_float32_matmul_precision(before)
    assert asked == list(range(5))


def test_embeddings_of_too_few_items_are_refused(half_leads):
    split = FullRanking(interactions([]).matrix(2, 40), interactions([(0, 39)]), (2,))
    with pytest.raises(ValueError, match=r"one row per user, \(1, 40\), got \(1, 30\)"):
        split.evaluate(embedding_scorer(torch.ones(2, 3), torch.ones(30, 3)))


def test_lists_are_taken_in_any_order_and_may_be_empty():
    lists = ItemLists(np.array([0, 2, 2, 5]), np.array([7, 8, 1, 2, 3]))
    first, items = taken = lists.take(np.array([2, 1, 0]))
    assert (first.tolist(), items.tolist()) == ([0, 3, 3, 5], [1, 2, 3, 7, 8])
    assert taken.counts().tolist() == [3, 0, 2]
    assert taken.rows().tolist() == [0, 0, 0, 2, 2]
    assert lists.take(np.array([], dtype=np.int64)).items.size == 0

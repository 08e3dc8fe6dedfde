"""Full ranking against a plain-Python twin, a hand-worked case, the golden record, and properties of rankings."""

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sea_core.data.dataset import Interactions
from sea_core.evaluation import full_ranking
from sea_core.evaluation.full_ranking import FullRanking, NonFiniteScoresError, embedding_scorer, evaluate
from tests.reference.naive_ranking import naive_evaluate

ROOT = Path(__file__).resolve().parents[3]


def interactions(pairs):
    array = np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
    return Interactions(array[:, 0], array[:, 1])


def table_scorer(scores):
    scores = torch.as_tensor(scores)
    return lambda users: scores[users]


def run(scores, train, relevant, ks=(10, 20)):
    matrix = interactions(train).matrix(*scores.shape)
    return evaluate(table_scorer(scores), train=matrix, relevant=interactions(relevant), ks=ks)


def test_a_small_case_worked_out_by_hand():
    scores = np.array([[0.9, 0.5, 0.5, 0.1, 0.8], [0.0, 0.0, 0.0, 0.0, 0.0], [1.0, 2.0, 3.0, 4.0, 5.0]])
    # User 0: item 0 is masked, so the ranking is 4, 1, 2, 3; of 2 and 3 one is in the top 3, at position 2.
    # User 1: all tie, item 1 is masked: 0, 2, 3, 4; item 3 is at position 2. User 2 has nothing relevant.
    result = run(scores, train=[(0, 0), (1, 1), (2, 4)], relevant=[(0, 2), (0, 3), (1, 3)], ks=(1, 3))
    assert result.users.tolist() == [0, 1]
    assert {key: value.tolist() for key, value in result.values.items()} == {
        "recall@1": [0, 0],
        "ndcg@1": [0, 0],
        "precision@1": [0, 0],
        "map@1": [0, 0],
        "recall@3": [1 / 2, 1],
        "ndcg@3": pytest.approx([0.5 / 1.6309298, 0.5]),
        "precision@3": [1 / 3, 1 / 3],
        "map@3": pytest.approx([(1 / 3) / 2, 1 / 3]),
    }


@st.composite
def cases(draw):
    users, items = draw(st.integers(1, 6)), draw(st.integers(1, 9))
    # Few levels, so that most items tie; the K boundary falls inside ties.
    levels = draw(st.integers(1, 4))
    scores = draw(st.lists(st.integers(0, levels), min_size=users * items, max_size=users * items))
    pair = st.tuples(st.integers(0, users - 1), st.integers(0, items - 1))
    train = draw(st.lists(pair, max_size=users * items))
    relevant = draw(st.lists(pair, min_size=1, max_size=users * items))
    ks = draw(st.lists(st.integers(1, 12), min_size=1, max_size=3, unique=True))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    return np.array(scores, dtype=dtype).reshape(users, items) - 2, train, relevant, ks


@given(cases(), st.integers(1, 4))
@settings(deadline=None, max_examples=150)
def test_full_ranking_equals_the_plain_python_twin(case, block_users):
    scores, train, relevant, ks = case
    before = full_ranking._BLOCK_SCORES, full_ranking._LEAST_BLOCK_USERS
    full_ranking._BLOCK_SCORES, full_ranking._LEAST_BLOCK_USERS = 1, block_users
    try:
        result = run(scores, train, relevant, ks)
    finally:
        full_ranking._BLOCK_SCORES, full_ranking._LEAST_BLOCK_USERS = before
    expected = naive_evaluate(scores, train, relevant, ks)
    assert result.users.tolist() == list(expected)
    for row, user in enumerate(result.users.tolist()):
        actual = {key: value[row] for key, value in result.values.items()}
        assert actual == pytest.approx(expected[user], rel=1e-12)


@given(st.permutations(range(12)), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=40)
def test_recall_is_unchanged_when_unrelated_items_are_permuted(order, seed):
    rng = np.random.default_rng(seed)
    scores = rng.permutation(5 * 12).reshape(5, 12).astype(np.float32)  # no ties: ids must not matter
    train = [(u, i) for u in range(5) for i in range(12) if rng.random() < 0.2]
    relevant = [(u, i) for u in range(5) for i in range(12) if rng.random() < 0.3] + [(0, 0)]
    moved = run(
        scores[:, order], [(u, order.index(i)) for u, i in train], [(u, order.index(i)) for u, i in relevant], (3,)
    )
    original = run(scores, train, relevant, (3,))
    for key, values in original.values.items():
        np.testing.assert_array_equal(values, moved.values[key])


@given(cases())
@settings(deadline=None, max_examples=40)
def test_monotone_changes_of_the_scores_change_nothing(case):
    scores, train, relevant, ks = case
    original, changed = run(scores, train, relevant, ks), run(3 * scores + 7, train, relevant, ks)
    for key, values in original.values.items():
        np.testing.assert_array_equal(values, changed.values[key])


@given(cases(), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=40)
def test_scores_of_training_items_change_nothing(case, seed):
    scores, train, relevant, ks = case
    changed = scores.copy()
    for user, item in train:
        changed[user, item] = np.random.default_rng(seed).integers(-9, 9)
    original, result = run(scores, train, relevant, ks), run(changed, train, relevant, ks)
    for key, values in original.values.items():
        np.testing.assert_array_equal(values, result.values[key])


def test_a_relevant_item_is_found_when_fewer_than_k_items_are_left():
    scores = np.array([[3.0, 2.0, 1.0]])
    result = run(scores, train=[(0, 0), (0, 1)], relevant=[(0, 0), (0, 2)], ks=(10,))
    # Item 0 is relevant and in train: it counts, and is never recommended. Item 2 is all that is left.
    assert result.means() == pytest.approx(
        {"recall@10": 0.5, "ndcg@10": 1 / 1.6309298, "precision@10": 0.1, "map@10": 0.5}
    )


def test_metrics_equal_those_of_the_golden_record():
    homes = [ROOT / "tests/golden/sea_step_A.npz", ROOT.parent / "shared/golden/sea_step_A.npz"]
    path = next((home for home in homes if home.exists()), None)
    if path is None:
        pytest.skip("the golden record sea_step_A.npz is neither in tests/golden nor in ../shared/golden")
    with np.load(path, allow_pickle=False) as record:
        scores = record["final/scores"]
        train = Interactions(record["train/user"], record["train/item"]).matrix(*scores.shape)
        for split in ("valid", "test"):
            relevant = Interactions(record[f"{split}/user"], record[f"{split}/item"])
            means = evaluate(table_scorer(scores), train=train, relevant=relevant, ks=(10, 20)).means()
            for key in ("recall@10", "recall@20", "ndcg@10", "ndcg@20"):
                assert round(means[key], 4) == pytest.approx(float(record[f"final/{split}/{key}"]), abs=1e-9)


def test_embeddings_are_scored_by_their_dot_product():
    generator = torch.Generator().manual_seed(3)
    user, item = torch.randn(7, 4, generator=generator), torch.randn(11, 4, generator=generator)
    users = torch.tensor([5, 0, 5])
    torch.testing.assert_close(embedding_scorer(user, item)(users), (user[users, None] * item).sum(dim=-1))


def test_a_prepared_split_gives_the_same_values_every_time_and_leaves_the_scores_alone():
    rng = np.random.default_rng(0)
    scores = torch.from_numpy(rng.normal(size=(1, 40)).astype(np.float32))
    untouched = scores.clone()
    train, relevant = interactions([(u, u) for u in range(30)]), interactions([(u, 39 - u) for u in range(30)])
    split = FullRanking(train.matrix(30, 40), relevant, ks=(5,))

    def expanding_scorer(users):
        return scores.expand(len(users), -1)  # every row is the same memory

    first, second = split.evaluate(expanding_scorer), split.evaluate(expanding_scorer)
    torch.testing.assert_close(scores, untouched, rtol=0, atol=0)
    for key, values in first.values.items():
        np.testing.assert_array_equal(values, second.values[key])


def test_no_block_of_scores_is_larger_than_promised():
    shapes = []

    def watching_scorer(users):
        shapes.append(len(users))
        return torch.zeros(len(users), 50_000)

    relevant = interactions([(u, u) for u in range(100)])
    evaluate(watching_scorer, train=sp.csr_array((100, 50_000), dtype=np.float32), relevant=relevant)
    assert max(shapes) * 50_000 <= full_ranking._BLOCK_SCORES
    assert sum(shapes) == 100


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("item", [0, 2])
def test_a_score_that_is_not_finite_is_an_error_that_names_it(value, item):
    scores = np.zeros((2, 3), dtype=np.float32)
    scores[1, item] = value
    with pytest.raises(NonFiniteScoresError, match=rf"got {value} for user 1, item {item}"):
        run(scores, train=[(1, 0)], relevant=[(0, 1), (1, 1)])


def test_finite_scores_whose_sum_overflows_are_ranked():
    scores = np.array([[3e38, 2e38, 1e38]], dtype=np.float32)
    assert run(scores, train=[], relevant=[(0, 1)], ks=(2,)).means()["recall@2"] == 1


@pytest.mark.parametrize("ks", [(), (0,), (5, 5)])
def test_illegal_cut_offs_are_refused(ks):
    with pytest.raises(ValueError, match="ks must be distinct and >= 1"):
        run(np.zeros((1, 3)), train=[], relevant=[(0, 1)], ks=ks)


def test_an_empty_split_is_refused():
    with pytest.raises(ValueError, match="nothing to evaluate"):
        run(np.zeros((1, 3)), train=[], relevant=[])


def test_a_scorer_that_returns_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"one row per user, \(1, 3\), got \(1, 2\)"):
        evaluate(
            lambda users: torch.zeros(len(users), 2),
            train=interactions([]).matrix(1, 3),
            relevant=interactions([(0, 1)]),
        )

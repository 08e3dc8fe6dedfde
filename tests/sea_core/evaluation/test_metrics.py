"""The four metrics by hand, against the plain-Python twin, and what must hold for all of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sea_core.errors import UserError
from sea_core.evaluation.full_ranking import evaluate
from sea_core.evaluation.metrics import METRICS, average_precision, ndcg, precision, recall
from sea_core.models.popularity import popularity_scorer
from tests.conftest import random_dataset
from tests.reference.naive_ranking import naive_metrics

# Three users, K = 4: hits at positions 0 and 2 of 3 relevant; none of 1; one at the last position of 6.
HITS = np.array([[1, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]], dtype=bool)
RELEVANT = np.array([3, 1, 6])


def test_metrics_equal_values_worked_out_by_hand():
    # Discounts 1, 0.63093, 0.5, 0.43068.
    np.testing.assert_allclose(recall(HITS, RELEVANT), [2 / 3, 0, 1 / 6])
    np.testing.assert_allclose(precision(HITS, RELEVANT), [2 / 4, 0, 1 / 4])
    np.testing.assert_allclose(ndcg(HITS, RELEVANT), [1.5 / 2.1309298, 0, 0.4306766 / 2.5616064], rtol=1e-7)
    np.testing.assert_allclose(average_precision(HITS, RELEVANT), [(1 + 2 / 3) / 3, 0, (1 / 4) / 4])


@st.composite
def hit_rows(draw):
    k = draw(st.integers(1, 12))
    row = draw(st.lists(st.booleans(), min_size=k, max_size=k))
    return np.array([row]), np.array([max(1, sum(row)) + draw(st.integers(0, 15))])


@given(hit_rows())
@settings(deadline=None)
def test_metrics_equal_the_plain_python_twin(case):
    hits, relevant = case
    k = hits.shape[1]
    ranking = list(range(k))
    wanted = {int(p) for p in np.flatnonzero(hits[0])} | {100 + n for n in range(relevant[0] - hits.sum())}
    expected = naive_metrics(ranking, wanted, k)
    for name, metric in METRICS.items():
        assert metric(hits, relevant)[0] == pytest.approx(expected[f"{name}@{k}"], rel=1e-12)


@given(hit_rows())
@settings(deadline=None)
def test_metrics_lie_between_zero_and_one(case):
    hits, relevant = case
    for metric in METRICS.values():
        assert 0 <= metric(hits, relevant)[0] <= 1 + 1e-12


@given(hit_rows(), st.data())
@settings(deadline=None)
def test_moving_a_hit_up_never_lowers_a_metric(case, data):
    hits, relevant = case
    position = data.draw(st.integers(0, hits.shape[1] - 1))
    target = data.draw(st.integers(0, position))
    moved = hits.copy()
    if hits[0, position] and not hits[0, target]:
        moved[0, position], moved[0, target] = False, True
    for metric in METRICS.values():
        assert metric(moved, relevant)[0] >= metric(hits, relevant)[0] - 1e-12


@pytest.mark.parametrize("relevant", [1, 3, 9])
def test_ndcg_and_map_are_one_exactly_when_the_top_is_all_relevant(relevant):
    hits = (np.arange(5) < relevant)[None]
    assert ndcg(hits, np.array([relevant]))[0] == pytest.approx(1)
    assert average_precision(hits, np.array([relevant]))[0] == pytest.approx(1)
    worse = np.roll(hits, 1, axis=1) if relevant < 5 else hits & (np.arange(5) > 0)
    assert ndcg(worse, np.array([relevant]))[0] < 1
    assert average_precision(worse, np.array([relevant]))[0] < 1


@pytest.mark.parametrize(
    "values",
    [
        lambda hits, relevant: 0.5,
        lambda hits, relevant: np.full(len(hits) + 1, 0.5),
        lambda hits, relevant: hits[:, 0] / 0.0,
    ],
    ids=["a scalar", "too many", "nan"],
)
def test_a_metric_that_is_not_one_finite_number_a_user_is_refused(values, monkeypatch):
    monkeypatch.setattr(METRICS, "_parts", {**METRICS, "odd": values})
    dataset = random_dataset()
    with np.errstate(all="ignore"), pytest.raises(UserError, match="metric 'odd' must give one finite number per user"):
        evaluate(popularity_scorer(dataset.train_matrix), train=dataset.train_matrix, relevant=dataset.valid)


def test_a_metric_cannot_write_the_hits_that_the_next_one_reads(monkeypatch):
    def vandal(hits, relevant):
        hits[:] = True

    monkeypatch.setattr(METRICS, "_parts", {"vandal": vandal, **METRICS})
    dataset = random_dataset()
    with pytest.raises(ValueError, match="read-only"):
        evaluate(popularity_scorer(dataset.train_matrix), train=dataset.train_matrix, relevant=dataset.valid)


@pytest.mark.parametrize("name", list(METRICS))
def test_every_registered_metric_keeps_the_contract(name):
    """Also those that a plugin adds: a user's metric does not depend on other users, and nothing found is nothing."""
    rng = np.random.default_rng(0)
    hits, relevant = rng.random((40, 7)) < 0.3, rng.integers(7, 12, 40)
    values = METRICS[name](hits, relevant)
    assert values.shape == (40,)
    assert ((values >= 0) & (values <= 1)).all()
    for user in range(5):
        np.testing.assert_array_equal(METRICS[name](hits[[user]], relevant[[user]]), values[[user]])
    np.testing.assert_array_equal(METRICS[name](np.zeros_like(hits), relevant), np.zeros(40))
    assert (METRICS[name](np.ones_like(hits), relevant) >= values).all()

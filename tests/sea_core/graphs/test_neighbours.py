"""The blocked neighbours are those of the obvious rule, whatever the block, the scale and the ties."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sea_core.errors import UserError
from sea_core.graphs import neighbours as neighbours_module
from sea_core.graphs.neighbours import nearest_items, nearest_items_approximately, neighbour_recall


def naive_neighbours(features: np.ndarray, k: int) -> np.ndarray:
    """The rule, one item at a time, in exact enough arithmetic: itself first, then by similarity, ties by id."""
    rows = features.astype(np.longdouble)
    rows /= np.sqrt((rows**2).sum(axis=1, keepdims=True))
    kept = []
    for item, row in enumerate(rows):
        similarity = [round(float((row * other).sum()), 12) for other in rows]
        ranked = sorted(range(len(rows)), key=lambda other: (other != item, -similarity[other], other))
        kept.append(sorted(ranked[:k]))
    return np.array(kept)


def _features(values: st.SearchStrategy[float], dtype: type = np.float32) -> st.SearchStrategy[np.ndarray]:
    shapes = st.tuples(st.integers(1, 12), st.integers(1, 5))
    tables = shapes.flatmap(lambda shape: arrays(np.float32, shape, elements=values))
    return tables.filter(lambda table: table.any(axis=1).all())


# Few values, so that equal rows, multiples and equal similarities abound.
TIED = _features(st.sampled_from([-2.0, -1.0, 0.0, 1.0, 2.0, 3.0]))
ANY = _features(st.floats(-1, 1, width=32).filter(lambda x: x == 0 or abs(x) > 1e-3))


@settings(deadline=None, max_examples=100)
@given(features=st.one_of(TIED, ANY), data=st.data())
def test_blocks_agree_with_the_rule(features: np.ndarray, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(features)))
    block_bytes = data.draw(st.sampled_from([1, 200, 2**20]))
    expected = naive_neighbours(features, k)
    np.testing.assert_array_equal(nearest_items(features, k, block_bytes=block_bytes), expected)


@settings(deadline=None, max_examples=30)
@given(features=TIED, scale=st.sampled_from([2.0**-120, 2.0**-10, 4.0, 2.0**120]))
def test_neighbours_do_not_depend_on_the_scale_of_the_features(features: np.ndarray, scale: float) -> None:
    # Powers of two, because any other scale rounds the features, and that breaks ties.
    k = (len(features) + 1) // 2
    scaled = features * np.float32(scale)
    np.testing.assert_array_equal(nearest_items(scaled, k), nearest_items(features, k))


def test_rows_that_float32_cannot_tell_apart_are_told_apart() -> None:
    # Angles from item 0 grow by 1e-8 from the last item to the first: all cosines are 1 in float32.
    angles = np.r_[0, 1e-3 + 1e-8 * np.arange(20)[::-1]]
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    expected = np.sort(np.argsort(np.abs(angles), kind="stable")[:5])
    np.testing.assert_array_equal(nearest_items(features, 5)[0], expected)


def test_of_equal_items_the_first_are_kept_besides_the_item_itself() -> None:
    neighbours = nearest_items(np.ones((500, 7), dtype=np.float32), 4, block_bytes=20_000)
    assert neighbours[:3].tolist() == [[0, 1, 2, 3]] * 3
    assert neighbours[3:].tolist() == [[0, 1, 2, item] for item in range(3, 500)]


def test_chosen_rows_equal_those_of_the_whole() -> None:
    features = np.random.default_rng(0).standard_normal((60, 8)).astype(np.float32)
    rows = np.array([59, 0, 17])
    np.testing.assert_array_equal(nearest_items(features, 5, rows=rows), nearest_items(features, 5)[rows])


def test_a_read_only_array_serves() -> None:
    features = np.random.default_rng(0).standard_normal((20, 3)).astype(np.float32)
    expected = nearest_items(features, 3)
    features.setflags(write=False)
    np.testing.assert_array_equal(nearest_items(features, 3), expected)


@pytest.mark.parametrize("k", [0, -1, 5])
def test_a_k_beyond_the_items_is_refused(k: int) -> None:
    with pytest.raises(UserError, match=f"knn_k must be from 1 to the number of items, 4, got {k}"):
        nearest_items(np.eye(4, dtype=np.float32), k)


def test_numpy_memory_stays_within_a_few_blocks() -> None:
    features = np.random.default_rng(0).standard_normal((3000, 4)).astype(np.float32)
    tracemalloc.start()
    nearest_items(features, 5, block_bytes=2**20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3000 * 3000  # bytes; the matrix of all similarities has four times as many


@pytest.mark.slow
def test_the_approximate_method_keeps_the_item_and_nearly_all_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pynndescent")
    monkeypatch.setattr(neighbours_module, "SMALL", 0)
    features = np.random.default_rng(0).standard_normal((2000, 8)).astype(np.float32)
    features[:50] = features[0]
    neighbours = nearest_items_approximately(features, 10)
    assert (neighbours == np.arange(2000)[:, None]).any(axis=1).all()
    assert (np.diff(neighbours, axis=1) > 0).all()
    assert neighbours.min() >= 0
    # Of 50 equal items any 10 are as near as the first 10, which the exact rule takes.
    features, neighbours = features[50:], nearest_items_approximately(features[50:], 10)
    recall = neighbour_recall(features, neighbours, sample=1950)
    exact = nearest_items(features, 10)
    shared = sum(len(set(a) & set(b)) - 1 for a, b in zip(exact, neighbours, strict=True))
    assert recall == pytest.approx(shared / (1950 * 9))
    assert recall > 0.9


def test_a_small_catalogue_is_exact_whatever_the_method() -> None:
    features = np.random.default_rng(0).standard_normal((40, 4)).astype(np.float32)
    np.testing.assert_array_equal(nearest_items_approximately(features, 5), nearest_items(features, 5))


def test_recall_counts_the_exact_neighbours_found() -> None:
    features = np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32)
    exact = nearest_items(features, 5)
    assert neighbour_recall(features, exact) == 1.0
    farthest = np.sort(np.c_[np.arange(50), (np.argsort(features @ features.T, axis=1)[:, :4])], axis=1)
    assert neighbour_recall(features, farthest) < 0.1

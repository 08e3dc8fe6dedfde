"""The mixed item graph equals the golden record's, and its cache forgets nothing that matters."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sea_core.data.catalogue import load_dataset
from sea_core.data.dataset import Dataset, Interactions
from sea_core.errors import UserError
from sea_core.graphs import item_item
from sea_core.graphs.item_item import item_graph, modality_neighbours

GOLDEN = Path(__file__).parents[2] / "golden" / "sea_step_A.npz"


pytestmark = pytest.mark.usefixtures("cache_folder")


def _dataset(**features: np.ndarray) -> Dataset:
    items = len(next(iter(features.values())))
    pairs = Interactions(user=np.array([0]), item=np.array([0]))
    return Dataset("tiny", "", 1, items, pairs, pairs, features)


def test_the_graph_equals_the_golden_record() -> None:
    record = np.load(GOLDEN, allow_pickle=False)
    config = json.loads(str(record["config"]))
    dataset = _dataset(image=record["feat/image"], text=record["feat/text"])
    weight = config["image_weight"]
    graph = item_graph(dataset, knn_k=config["knn_k"], weights=[weight, 1 - weight])
    assert graph.dtype == np.float32
    np.testing.assert_allclose(graph.toarray(), record["item_graph"], rtol=0, atol=5e-8)
    np.testing.assert_array_equal(graph.toarray() > 0, record["item_graph"] > 0)


def test_rows_receive_and_sum_to_the_weights() -> None:
    # Items 0 and 1 nearly agree, item 2 is nearer to 1 than to 0, so 2 receives from 1 and nothing flows back.
    angles = np.array([0.0, 0.1, 0.5])
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    graph = item_graph(_dataset(image=features), knn_k=2, weights=[1.0])
    np.testing.assert_array_equal(graph.toarray(), [[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 0.5, 0.5]])


def test_a_modality_of_weight_zero_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = load_dataset("synthetic")
    alone = item_graph(replace(dataset, features={"text": dataset.features["text"]}), knn_k=4, weights=[1.0])
    asked = []
    real = item_item.modality_neighbours
    monkeypatch.setattr(item_item, "modality_neighbours", lambda *a, **k: asked.append(a[1]) or real(*a, **k))
    mixed = item_graph(dataset, knn_k=4, weights=[0.0, 1.0])
    assert asked == ["text"]
    assert (mixed != alone).nnz == 0


def test_any_number_of_modalities_mixes() -> None:
    dataset = load_dataset("synthetic:dims=6/5/4,items=30,interactions=6,users=9")
    weights = (0.5, 0.2, 0.3)
    parts = [
        item_graph(replace(dataset, features={name: dataset.features[name]}), knn_k=3, weights=[1.0]).toarray()
        for name in dataset.modalities
    ]
    expected = sum(weight * part for weight, part in zip(weights, parts, strict=True))
    np.testing.assert_allclose(item_graph(dataset, knn_k=3, weights=weights).toarray(), expected, atol=1e-7)


def test_weights_must_match_the_modalities() -> None:
    with pytest.raises(ValueError, match="expected 1 weights"):
        item_graph(_dataset(image=np.eye(3, dtype=np.float32)), knn_k=1, weights=[0.5, 0.5])


def test_k_beyond_the_items_is_refused_and_not_cached(cache_folder: Path) -> None:
    with pytest.raises(UserError, match="knn_k must be from 1 to the number of items, 3, got 4"):
        item_graph(_dataset(image=np.eye(3, dtype=np.float32)), knn_k=4, weights=[1.0])
    assert not cache_folder.exists()


def test_neighbours_are_computed_once_per_features_k_and_method(
    cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    real = item_item.nearest_items
    monkeypatch.setattr(item_item, "nearest_items", lambda *a: calls.append(a) or real(*a))
    generator = np.random.default_rng(0)
    features = generator.standard_normal((20, 3)).astype(np.float32)
    first = modality_neighbours(_dataset(image=features), "image", knn_k=3)
    again = modality_neighbours(_dataset(image=features.copy()), "image", knn_k=3)
    assert len(calls) == 1
    np.testing.assert_array_equal(first.ids, again.ids)
    assert first.recall == 1.0

    modality_neighbours(_dataset(image=features), "image", knn_k=4)
    changed = features.copy()
    changed[7, 1] += 1
    modality_neighbours(_dataset(image=changed), "image", knn_k=3)
    assert len(calls) == 3
    monkeypatch.setattr(item_item, "VERSION", 0)
    modality_neighbours(_dataset(image=features), "image", knn_k=3)
    assert len(calls) == 4


def test_a_damaged_entry_is_built_again(cache_folder: Path) -> None:
    dataset = load_dataset("synthetic")
    expected = item_graph(dataset, knn_k=5, weights=[0.1, 0.9])
    entries = sorted(cache_folder.rglob("*.safetensors"))
    assert len(entries) == 2
    for entry in entries:
        content = bytearray(entry.read_bytes())
        content[-3] ^= 1
        entry.write_bytes(content)
    assert (item_graph(dataset, knn_k=5, weights=[0.1, 0.9]) != expected).nnz == 0

"""Rank-reduced and rounded features: exact where they promise to be, close where they do not."""

import numpy as np
import pytest
import torch

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.layers.draws import Draws
from sea_core.layers.features import prepare_features
from sea_core.models.protocol import Batch
from sea_core.models.sea import SEA, make_inputs
from sea_core.training.step import Stepper
from tests.conftest import random_dataset

RANK = 6
SMALL = {"latent_dim": 8, "item_mlp_hidden": 12, "align_hidden": 8, "align_out": 6, "distance_dim": 5, "club_hidden": 4}


@pytest.fixture
def low_rank(cache_folder):
    """Image features of rank 6 in 20 dimensions, text features of full rank."""
    data = random_dataset(items=40, dims={"image": 20, "text": 5})
    rng = np.random.default_rng(0)
    image = (rng.standard_normal((40, RANK)) @ rng.standard_normal((RANK, 20))).astype(np.float32)
    return Dataset(
        data.name, data.source, data.users, data.items, data.train, data.valid, {**data.features, "image": image}
    )


def first_step(data, **choices):
    config = Config.from_mapping({**SMALL, **choices})
    inputs = make_inputs(config, data, device="cpu")
    dims = {m: values.shape[1] for m, values in data.features.items()}
    model = SEA(config, users=data.users, feature_dims=dims, seed=3, bases=inputs.features.bases)
    generator = torch.Generator().manual_seed(0)
    batch = Batch(*(torch.randint(high, (32,), generator=generator) for high in (data.users, data.items, data.items)))
    permutations = {m: torch.randperm(data.items, generator=generator) for m in dims}
    forward, terms = Stepper(model).step(inputs, batch, Draws(permutations))
    return model, inputs, forward, terms


def test_the_rank_of_the_features_gives_the_same_losses_embeddings_and_gradients(low_rank):
    full_model, _, full, full_terms = first_step(low_rank)
    model, inputs, reduced, terms = first_step(low_rank, feature_rank=RANK)
    assert model.projections["image"].weight.shape == (20, RANK)
    for name, expected in full_terms.items():
        assert float(terms[name]) == pytest.approx(float(expected), rel=1e-4, abs=1e-5), name
    torch.testing.assert_close(reduced.embeddings.item, full.embeddings.item, rtol=1e-4, atol=1e-5)
    expected = full_model.projections["image"].weight.grad @ inputs.features.bases["image"]
    torch.testing.assert_close(model.projections["image"].weight.grad, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("rank", [5, 20, 500])
def test_a_rank_that_a_modality_does_not_exceed_leaves_it_alone(low_rank, rank):
    features = prepare_features(Config(feature_rank=rank), low_rank)
    assert "text" not in features.bases
    assert torch.equal(features.values["text"], torch.from_numpy(low_rank.features["text"]))


def test_a_lower_rank_keeps_the_leading_singular_directions(low_rank):
    image = low_rank.features["image"].astype(np.float64)
    features = prepare_features(Config(feature_rank=3), low_rank)
    rebuilt = (features.values["image"] @ features.bases["image"].T).double().numpy()
    singular = np.linalg.svd(image, compute_uv=False)
    assert np.linalg.norm(image - rebuilt) == pytest.approx(np.sqrt((singular[3:] ** 2).sum()), rel=1e-3)


def test_the_basis_follows_the_features_and_the_rank_through_the_cache(low_rank):
    first = prepare_features(Config(feature_rank=3), low_rank).bases["image"]
    again = prepare_features(Config(feature_rank=3), low_rank).bases["image"]
    assert torch.equal(first, again)
    assert prepare_features(Config(feature_rank=4), low_rank).bases["image"].shape == (20, 4)
    changed = {**low_rank.features, "image": low_rank.features["image"] * np.linspace(1, 2, 20, dtype=np.float32)}
    other = Dataset("other", "", low_rank.users, low_rank.items, low_rank.train, low_rank.valid, changed)
    assert not torch.equal(prepare_features(Config(feature_rank=3), other).bases["image"], first)


def test_bf16_features_give_nearly_the_same_losses(low_rank, monkeypatch):
    from sea_core.layers import projection

    monkeypatch.setattr(projection, "_dense_is_cheaper", lambda *_: False)
    _, _, _, exact = first_step(low_rank)
    _, inputs, forward, terms = first_step(low_rank, precision="bf16")
    assert inputs.features.values["image"].dtype == torch.bfloat16
    assert forward.total.dtype == torch.float32
    assert float(terms["total"]) != float(exact["total"])
    assert float(terms["total"]) == pytest.approx(float(exact["total"]), rel=0.02)

"""Transformations of features: what each keeps and destroys, and that it is part of config and data hash."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sea_core.config import Config
from sea_core.data import transforms
from sea_core.data.catalogue import load_dataset
from sea_core.data.transforms import Request, register_transform, transform_features, transform_names
from sea_core.errors import UserError
from sea_core.training.run import TrainingRun

RNG = np.random.default_rng(0)
FEATURES = {
    "image": RNG.normal(3, [1, 2, 5], (2000, 3)).astype(np.float32),
    "text": RNG.normal(-1, 0.5, (2000, 3)).astype(np.float32),
    "audio": RNG.normal(0, 1, (2000, 2)).astype(np.float32),
}


def change(name: str, modality: str = "image") -> np.ndarray:
    before = {name: array.copy() for name, array in FEATURES.items()}
    changed = transform_features(FEATURES, {modality: name})
    for each, array in FEATURES.items():
        np.testing.assert_array_equal(array, before[each])  # the input is never written
        if each != modality:
            assert changed[each] is array
    return changed[modality]


def test_zero_leaves_nothing() -> None:
    assert not change("zero").any()


def test_mean_leaves_the_level_alone() -> None:
    changed = change("mean")
    np.testing.assert_allclose(changed[0], FEATURES["image"].mean(axis=0, dtype=np.float64), rtol=1e-6)
    assert np.unique(changed, axis=0).shape[0] == 1


def test_noise_has_the_moments_of_each_column_and_nothing_of_the_items() -> None:
    before, changed = FEATURES["image"], change("noise")
    np.testing.assert_allclose(changed.mean(axis=0), before.mean(axis=0), atol=4 * 5 / 2000**0.5)
    np.testing.assert_allclose(changed.std(axis=0), before.std(axis=0), rtol=0.1)
    assert abs(np.corrcoef(before[:, 0], changed[:, 0])[0, 1]) < 4 / 2000**0.5


def test_permute_keeps_every_row_and_moves_them() -> None:
    before, changed = FEATURES["image"], change("permute")
    np.testing.assert_array_equal(before[np.lexsort(before.T)], changed[np.lexsort(changed.T)])
    assert (before == changed).all(axis=1).sum() < 10


def test_swap_exchanges_rows() -> None:
    changed = transform_features(FEATURES, {"image": "swap:text", "text": "swap:image"})
    np.testing.assert_array_equal(changed["image"], FEATURES["text"])
    np.testing.assert_array_equal(changed["text"], FEATURES["image"])


def test_random_features_for_all_are_standard_normal_and_differ_between_modalities() -> None:
    changed = transform_features(FEATURES, {"all": "random-features"})
    assert {name: array.shape for name, array in changed.items()} == {n: a.shape for n, a in FEATURES.items()}
    for array in changed.values():
        np.testing.assert_allclose(array.mean(axis=0), 0, atol=4 / 2000**0.5)
        np.testing.assert_allclose(array.std(axis=0), 1, rtol=0.1)
    assert not np.array_equal(changed["image"], changed["text"])


@pytest.mark.parametrize("name", ["noise", "permute", "random-features"])
def test_draws_are_those_of_the_number_and_of_nothing_else(name: str) -> None:
    np.testing.assert_array_equal(change(name), change(f"{name}:0"))
    assert not np.array_equal(change(name), change(f"{name}:1"))


@settings(deadline=None, max_examples=40)
@given(
    name=st.sampled_from([name for name in transform_names() if name != "swap"]),
    items=st.integers(1, 30),
    dim=st.integers(1, 5),
)
def test_any_transformation_keeps_shape_and_type(name: str, items: int, dim: int) -> None:
    features = {"image": np.random.default_rng(1).standard_normal((items, dim)).astype(np.float32)}
    changed = transform_features(features, {"image": name})["image"]
    assert (changed.shape, changed.dtype) == ((items, dim), np.float32)
    assert np.isfinite(changed).all()


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"sound": "zero"}, "names the modality 'sound', but the data have image, text, audio"),
        ({"all": "zero", "image": "mean"}, "must stand alone"),
        ({"image": "zeros"}, "unknown transformation 'zeros'; did you mean 'zero'"),
        ({"image": "permute:x"}, "expected a whole number after the colon, got 'x'"),
        ({"image": "swap"}, "swap needs another modality"),
        ({"image": "swap:image"}, "swap needs another modality"),
        ({"image": "swap:audio"}, "which has 2 columns, not 3"),
    ],
)
def test_what_does_not_apply_is_refused(wanted: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        transform_features(FEATURES, wanted)


def test_the_config_refuses_unknown_transformations() -> None:
    with pytest.raises(UserError, match=r"feature_transform must be a map .*got \{'image': 'shuffle'\}"):
        Config(feature_transform={"image": "shuffle"})


def test_config_and_data_hash_cover_the_transformation_and_default_to_those_of_before() -> None:
    plain, changed = Config(), Config(feature_transform={"image": "permute"})
    assert plain.hash() == "44136fa355b3678a"  # of every record made before the field existed
    assert changed.hash() != plain.hash()
    before = load_dataset("synthetic")
    after = load_dataset("synthetic", feature_transform=changed.feature_transform)
    assert after.data_hash != before.data_hash
    assert after.split_hash == before.split_hash
    assert after.feature_hashes["text"] == before.feature_hashes["text"]


def test_a_view_starts_from_the_raw_features_however_often_it_is_taken() -> None:
    permuted = load_dataset("synthetic", feature_transform={"image": "permute"})
    assert permuted.viewed(None, {"image": "permute"}).data_hash == permuted.data_hash
    assert permuted.viewed(None, None).data_hash == load_dataset("synthetic").data_hash
    assert permuted.viewed(["text"], None).modalities == ("text",)


def test_one_function_is_a_transformation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transforms, "_registered", dict(transforms._registered))

    @register_transform("sign")
    def sign(request: Request) -> np.ndarray:
        return np.sign(request.own)

    config = Config(feature_transform={"all": "sign"})
    dataset = load_dataset("synthetic", feature_transform=config.feature_transform)
    assert set(np.unique(dataset.features["image"])) <= {-1.0, 0.0, 1.0}


@pytest.mark.parametrize("name", ["zero", "mean"])
def test_training_goes_on_without_any_difference_between_items(name: str, cache_folder: object) -> None:
    config = Config(feature_transform={"all": name}, epochs=1, club_steps=2)
    dataset = load_dataset("synthetic:users=40,items=30,interactions=8,dims=8/6", feature_transform={"all": name})
    run = TrainingRun(config, dataset, seed=1)
    run.advance()
    assert run.best.epoch == 0

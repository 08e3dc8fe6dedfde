"""Planted data carry the signal that their knobs promise, no more, and the same bytes for the same knobs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sea_core.data.catalogue import load_dataset
from sea_core.data.synthetic import Knobs, Planted, plant
from sea_core.errors import UserError
from tests.sea_core.data.refusal import value_or_refusal

NOISE_IN_TEXT = "unique_importance=1/0,shared_signal=1/0"


def _recall(scores: np.ndarray, planted: Planted, k: int = 20) -> float:
    splits = planted.splits
    scores = scores.copy()
    scores[splits.train.user, splits.train.item] = -np.inf
    top = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    relevant = splits.valid.matrix(splits.users, splits.items).toarray()
    return float(np.mean(np.take_along_axis(relevant, top, axis=1).sum(axis=1) / relevant.sum(axis=1)))


def _content_scores(planted: Planted, names: tuple[str, ...]) -> np.ndarray:
    """Ridge regression of each user's training choices on unit features: the simplest use of features there is."""
    features = np.hstack([planted.features[name] for name in names]).astype(np.float64)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    chosen = planted.splits.train.matrix(planted.splits.users, planted.splits.items).toarray()
    gram = features.T @ features + 10 * np.eye(features.shape[1])
    return chosen @ features @ np.linalg.solve(gram, features.T)


def _popularity_scores(planted: Planted) -> np.ndarray:
    counts = np.bincount(planted.splits.train.item, minlength=planted.splits.items)
    return np.tile(counts.astype(float), (planted.splits.users, 1))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_features_beat_popularity_and_the_truth_beats_features(seed: int) -> None:
    planted = plant(Knobs(seed=seed))
    popularity = _recall(_popularity_scores(planted), planted)
    content = _recall(_content_scores(planted, ("image", "text")), planted)
    oracle = _recall(planted.truth.taste + planted.truth.popularity, planted)
    assert popularity + 0.1 < content < oracle - 0.1


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_both_modalities_matter_by_default(seed: int) -> None:
    planted = plant(Knobs(seed=seed))
    both = _recall(_content_scores(planted, ("image", "text")), planted)
    for alone in ("image", "text"):
        assert _recall(_content_scores(planted, (alone,)), planted) < both - 0.03


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_modality_of_pure_noise_does_not_help(seed: int) -> None:
    planted = plant(Knobs.parse(f"{NOISE_IN_TEXT},seed={seed}"))
    image = _recall(_content_scores(planted, ("image",)), planted)
    both = _recall(_content_scores(planted, ("image", "text")), planted)
    text = _recall(_content_scores(planted, ("text",)), planted)
    assert both < image + 0.02
    assert text < image / 2


def test_features_show_the_factors_they_were_made_from() -> None:
    planted = plant(Knobs(noise=0.1, items=500, users=50))

    def explained(factors: np.ndarray, features: np.ndarray) -> float:
        fitted = features @ np.linalg.lstsq(features, factors, rcond=None)[0]
        return float(1 - ((factors - fitted) ** 2).sum() / (factors**2).sum())

    image, text = planted.features["image"].astype(float), planted.features["text"].astype(float)
    truth = planted.truth
    assert min(explained(truth.shared, image), explained(truth.shared, text)) > 0.9
    assert explained(truth.unique["image"], image) > 0.9
    assert explained(truth.unique["image"], text) < 0.15


def test_taste_has_the_spread_asked_for_and_is_shared_out_by_importance() -> None:
    knobs = Knobs(users=2000, taste=1.5, shared_importance=2.0, unique_importance=(1.0, 0.0))
    truth = plant(knobs).truth
    assert truth.taste.std() == pytest.approx(1.5, rel=0.05)

    def share(factors: np.ndarray) -> float:
        basis = np.linalg.qr(factors)[0]
        return float(((truth.taste @ basis) ** 2).sum() / (truth.taste**2).sum())

    assert share(truth.shared) == pytest.approx(0.8, abs=0.08)
    assert share(truth.unique["image"]) == pytest.approx(0.2, abs=0.08)
    assert share(truth.unique["text"]) < 0.08


def test_without_taste_popularity_alone_decides() -> None:
    planted = plant(Knobs(taste=0.0, popularity=1.0))
    assert not planted.truth.taste.any()
    counts = np.bincount(planted.splits.train.item, minlength=200)
    assert np.corrcoef(counts, planted.truth.popularity)[0, 1] > 0.85


def test_choices_follow_the_planted_probabilities() -> None:
    # Five of ten items without replacement, against NumPy drawing from the same probabilities.
    planted = plant(Knobs(users=3000, items=10, interactions=5, taste=0.0, popularity=1.0))
    splits = planted.splits
    chosen = sum(part.matrix(splits.users, splits.items) for part in (splits.train, splits.valid, splits.test))
    odds = np.exp(planted.truth.popularity)
    generator = np.random.default_rng(0)
    drawn = np.zeros(10)
    for _ in range(3000):
        drawn[generator.choice(10, size=5, replace=False, p=odds / odds.sum())] += 1
    np.testing.assert_allclose(chosen.sum(axis=0) / 3000, drawn / 3000, atol=0.05)


def test_a_tenth_of_each_users_choices_is_held_out_twice() -> None:
    splits = plant(Knobs()).splits
    train, valid, test = (np.bincount(part.user, minlength=300) for part in (splits.train, splits.valid, splits.test))
    np.testing.assert_array_equal(valid, np.maximum((train + valid + test) // 10, 1))
    np.testing.assert_array_equal(test, valid)
    pairs = np.concatenate([part.user * 200 + part.item for part in (splits.train, splits.valid, splits.test)])
    assert np.unique(pairs).size == pairs.size


def test_equal_knobs_give_equal_data_and_another_seed_gives_others() -> None:
    # The hash of the default dataset, so that records of it stay comparable; change it knowingly.
    assert load_dataset("synthetic").data_hash == "21fbf6a3391685bb"
    assert load_dataset("synthetic:seed=0").data_hash == "21fbf6a3391685bb"
    assert load_dataset("synthetic:seed=1").data_hash != "21fbf6a3391685bb"


def test_a_part_that_is_changed_leaves_the_draws_of_the_others() -> None:
    before, after = plant(Knobs()), plant(Knobs(noise=2.0))
    np.testing.assert_array_equal(before.splits.train.item, after.splits.train.item)
    three = plant(Knobs(dims=(48, 32, 8), unique_importance=(1, 1, 0), shared_signal=(1, 1, 1)))
    np.testing.assert_array_equal(before.features["image"], three.features["image"])
    np.testing.assert_array_equal(before.splits.train.item, three.splits.train.item)
    assert tuple(three.features) == ("image", "text", "audio")


def test_knobs_travel_in_the_name() -> None:
    dataset = load_dataset("synthetic:noise=0.25,users=50,dims=5/6/7")
    assert dataset.name == dataset.source == "synthetic:users=50,dims=5/6/7,noise=0.25"
    assert (dataset.users, [array.shape[1] for array in dataset.features.values()]) == (50, [5, 6, 7])
    assert load_dataset(dataset.source).data_hash == dataset.data_hash


@settings(deadline=None, max_examples=60)
@given(
    knobs=st.builds(
        Knobs,
        users=st.integers(2, 1000),
        interactions=st.integers(5, 100),
        noise=st.floats(0, 100),
        seed=st.integers(-5, 10**6),
        unique_importance=st.tuples(st.floats(0, 10), st.floats(0, 10)),
    )
)
def test_parsing_inverts_writing(knobs: Knobs) -> None:
    assert Knobs.parse(knobs.write()) == knobs


def test_modalities_are_chosen_by_the_file_names_of_a_folder() -> None:
    whole = load_dataset("synthetic")
    text = load_dataset("synthetic", modalities={"text": "text_feat.npy"})
    assert text.modalities == ("text",)
    np.testing.assert_array_equal(text.features["text"], whole.features["text"])
    with pytest.raises(
        UserError, match=r"synthetic has no feature file 'txt_feat\.npy'; did you mean 'text_feat\.npy'"
    ):
        load_dataset("synthetic", modalities={"text": "txt_feat.npy"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("user=3", "unknown knob 'user' of synthetic; did you mean 'users'"),
        ("users", "knob 'users' of synthetic must look like 300, got ''"),
        ("users=many", "knob 'users' of synthetic must look like 300, got 'many'"),
        ("users=2.5", "must look like 300, got '2.5'"),
        ("users=1", "knob 'users' of synthetic must be at least 2, got 1"),
        ("users=5,users=6", "knob 'users' of synthetic is given twice"),
        ("users=1000000000", "knob 'users' of synthetic must be at most 250000 with 200 items"),
        ("items=9", "knob 'items' of synthetic must be at least 10"),
        ("interactions=101", "knob 'interactions' of synthetic must be at most items / 2 = 100, got 101"),
        ("dims=4/x", "knob 'dims' of synthetic must look like 48/32, got '4/x'"),
        ("dims=4/0", "knob 'dims' of synthetic must be at least 1 each, got 4/0"),
        ("dims=1/1/1/1/1", "knob 'dims' of synthetic must be 1 to 4 values"),
        ("dims=300000", "knob 'dims' of synthetic must be at most 250000 in all"),
        ("unique_importance=1", "one value for each of the 2 modalities in dims, got 1.0"),
        ("noise=nan", "knob 'noise' of synthetic must be in"),
        ("noise=-1", "knob 'noise' of synthetic must be in"),
        ("taste=inf", "knob 'taste' of synthetic must be in"),
        ("shared_factors=0", "knob 'shared_factors' of synthetic must be at least 1"),
    ],
)
def test_a_wrong_knob_is_refused(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message.replace("(", r"\(")):
        Knobs.parse(text)


@settings(deadline=None, max_examples=150)
@given(text=st.text(alphabet="usernoiditm=,/.0123456789-e", max_size=30))
def test_any_text_parses_or_is_refused(text: str) -> None:
    value_or_refusal(lambda: Knobs.parse(text))

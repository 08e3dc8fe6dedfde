"""What a run leaves about its separation: the parts of the best epoch, and numbers that are theirs."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load

from sea_core.config import Config
from sea_core.data.catalogue import load_dataset
from sea_core.data.synthetic import Knobs, plant, plant_factors
from sea_core.diagnostics.dependence import linear_cka
from sea_core.run_folder import DIAGNOSTICS, PARTS
from sea_core.training.checkpoint import from_bytes, to_bytes
from sea_core.training.run import TrainingRun
from study.running.diagnose import chosen_items, diagnose, diagnostic_files, leading_columns, planted
from tests.conftest import random_dataset

SMALL = Config(
    latent_dim=4, item_mlp_hidden=6, align_hidden=4, align_out=4, distance_dim=4, club_steps=2, batch_size=64, knn_k=3
)


def trained(config: Config, *, epochs: int = 2, **how: bool) -> TrainingRun:
    run = TrainingRun(config.override(epochs=epochs), random_dataset(), seed=1, **how)
    while not run.finished:
        run.advance()
    return run


@pytest.fixture
def cut_short(cache_folder: Path) -> TrainingRun:
    """A run of one epoch, so that its best epoch is its last."""
    return trained(SMALL, epochs=1, keep_best_weights=True)


def test_parts_are_the_columns_on_either_side_of_the_split_point(cut_short: TrainingRun) -> None:
    parts = cut_short.best_parts(np.array([3, 1]))
    assert parts is not None
    projection = cut_short.model.projections["image"]
    with torch.no_grad():
        whole = projection(torch.from_numpy(cut_short.dataset.features["image"][[3, 1]]))
    torch.testing.assert_close(torch.cat([parts["generic/image"], parts["unique/image"]], dim=1), whole)
    assert parts["generic/image"].shape[1] == cut_short.model.separation.splits["image"]
    assert parts["aligned/text"].shape == (2, 4)


def test_parts_are_of_the_best_epoch_and_leave_the_run_as_it_was(cache_folder: Path) -> None:
    run = TrainingRun(SMALL.override(epochs=9), random_dataset(), seed=1, keep_best_weights=True)
    items, best = np.arange(25), None
    while not run.finished:
        if run.advance().improved:
            best = run.best_parts(items)
    assert run.best.epoch < len(run.reports) - 1, "the last epoch must not be the best one"
    before = run.weights_hash()
    again = run.best_parts(items)
    assert run.weights_hash() == before
    assert best is not None
    assert again is not None
    for name, value in best.items():
        assert torch.equal(again[name], value), name
    resumed = TrainingRun(run.config, run.dataset, seed=1, keep_best_weights=True)
    from_bytes(resumed, to_bytes(run))
    assert diagnostic_files(resumed) == diagnostic_files(run)


def test_a_run_that_kept_no_weights_leaves_no_diagnostics(cache_folder: Path) -> None:
    assert diagnostic_files(trained(SMALL, epochs=1)) == {}


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"distancing": "none"}, {"bound", "clamped", "angle"}),
        ({"distancing": "orthogonal"}, {"bound", "clamped"}),
        ({"alignment": "none"}, {"alignment"}),
        ({"split_stage": "representation"}, set()),
    ],
)
def test_what_an_arm_has_not_is_null(changes: dict[str, str], missing: set[str], cache_folder: Path) -> None:
    diagnostics = json.loads(
        diagnostic_files(trained(SMALL.override(**changes), epochs=1, keep_best_weights=True))[DIAGNOSTICS]
    )
    lines = {**diagnostics["modalities"]["image"], **diagnostics["pairs"][0]}
    assert {name for name, value in lines.items() if value is None} == missing | {"recovery"}


def test_numbers_are_those_of_the_parts_beside_them(cut_short: TrainingRun, tmp_path: Path) -> None:
    files = diagnostic_files(cut_short)
    parts, diagnostics = load(files[PARTS]), json.loads(files[DIAGNOSTICS])
    image = diagnostics["modalities"]["image"]
    assert image["cka"] == pytest.approx(linear_cka(parts["generic/image"].numpy(), parts["unique/image"].numpy()))
    cosine = torch.cosine_similarity(parts["generic_head/image"], parts["unique_head/image"]).numpy()
    assert image["angle"]["mean"] == pytest.approx(cosine.mean(), abs=1e-6)
    assert image["angle"]["random_sd"] == pytest.approx(0.5)  # in 4 dimensions
    assert image["bound"] == cut_short.reports[0].losses["bound_image"]
    assert not [name for name in parts if name.startswith("aligned/")]
    (tmp_path / PARTS).write_bytes(files[PARTS])
    with safe_open(tmp_path / PARTS, "pt") as file:
        assert json.loads(file.metadata()["about"])["epoch"] == 0


def test_wide_parts_keep_their_inner_products_where_they_can() -> None:
    rng = np.random.default_rng(0)
    low = (rng.standard_normal((90, 5)) @ rng.standard_normal((5, 80))).astype(np.float32)
    turned, kept = leading_columns(low)
    assert turned.shape == (90, 64)
    assert kept == pytest.approx(1)
    np.testing.assert_allclose(turned @ turned.T, low @ low.T, atol=1e-3)
    assert leading_columns(rng.standard_normal((200, 150)).astype(np.float32))[1] < 0.9


def test_many_items_are_sampled_the_same_way_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("study.running.diagnose.MOST_ITEMS", 10)
    chosen = chosen_items(1000)
    assert len(set(chosen.tolist())) == 10
    assert chosen.tolist() == sorted(chosen)
    np.testing.assert_array_equal(chosen, chosen_items(1000))
    np.testing.assert_array_equal(chosen_items(7), np.arange(7))


def test_collapsed_parts_are_null_and_no_error() -> None:
    parts = {f"{part}/{m}": np.zeros((20, 3), np.float32) for part in ("generic", "unique") for m in "ab"}
    diagnostics = diagnose(parts, losses={}, factors=None, rng=np.random.default_rng(0))
    assert set(diagnostics["modalities"]["a"].values()) == {None}
    assert diagnostics["pairs"] == [
        {"modalities": ["a", "b"], "generic_cka": None, "unique_cka": None, "alignment": None}
    ]


def test_planted_factors_are_the_truth_of_the_data_under_any_name(cache_folder: Path) -> None:
    knobs = Knobs.parse("users=20,items=20,interactions=6,dims=4/5")
    truth = plant(knobs).truth
    shared, unique = plant_factors(knobs)
    np.testing.assert_array_equal(shared, truth.shared)
    np.testing.assert_array_equal(unique["text"], truth.unique["text"])
    files = {"words": "text_feat.npy"}
    dataset = load_dataset(f"synthetic:{knobs.write()}", modalities=files)
    factors = planted(dataset, files, np.array([4, 2]))
    assert factors is not None
    np.testing.assert_array_equal(factors[1]["words"], truth.unique["text"][[4, 2]])
    assert planted(random_dataset(), None, np.arange(3)) is None


def test_a_perfect_split_is_recovered_and_its_reverse_is_not() -> None:
    rng = np.random.default_rng(0)
    shared, own = rng.standard_normal((80, 2)), rng.standard_normal((80, 3))
    right = {"generic/a": shared.astype(np.float32), "unique/a": own.astype(np.float32)}
    wrong = {"generic/a": right["unique/a"], "unique/a": right["generic/a"]}
    separations = [
        diagnose(parts, losses={}, factors=(shared, {"a": own}), rng=rng)["modalities"]["a"]["recovery"]["separation"]
        for parts in (right, wrong)
    ]
    assert separations[0] > 0.95
    assert separations[1] < -0.95

"""Every shipped arm changes the model in the way it states, and in no other."""

from fnmatch import fnmatch
from functools import cache

import pytest
import torch

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.data.modalities import only_modalities
from sea_core.training.run import TrainingRun
from study.ablation.arms import Arm, load_arms
from study.records.arm_names import arm_names
from tests.conftest import random_dataset

# Weights large enough for every loss to leave a trace within two epochs of two batches.
BASE = Config(
    epochs=2,
    batch_size=128,
    learning_rate=1e-2,
    alignment_weight=0.5,
    distance_weight=0.5,
    club_steps=5,
    knn_k=4,
    latent_dim=8,
)


@cache
def dataset_with(first_modality: str, columns: int) -> Dataset:
    return random_dataset(dims={first_modality: columns, "text": 10})


@cache
def train(name: str, first_modality: str, columns: int = 12) -> TrainingRun:
    arm, dataset = load_arms([name])[-1], dataset_with(first_modality, columns)
    config = arm.apply(BASE, dataset.modalities)
    run = TrainingRun(config, only_modalities(dataset, config), seed=3)
    while not run.finished:
        run.advance()
    return run


def with_full(arm: Arm) -> tuple[TrainingRun, TrainingRun]:
    first_modality = "knowledge" if "knowledge" in arm.name else "image"
    columns = 10 if arm.name.startswith("swap-") else 12
    return train("full", first_modality, columns), train(arm.name, first_modality, columns)


ARMS = [load_arms([name])[-1] for name in sorted(arm_names())]
arms = pytest.mark.parametrize("arm", [arm for arm in ARMS if "model" not in arm.changes], ids=lambda arm: arm.name)
models = pytest.mark.parametrize("arm", [arm for arm in ARMS if "model" in arm.changes], ids=lambda arm: arm.name)


def matching(names: set[str], patterns: tuple[str, ...]) -> set[str]:
    return {name for name in names if any(fnmatch(name, pattern) for pattern in patterns)}


@arms
def test_an_arm_builds_what_full_builds_but_for_what_it_removes(arm: Arm) -> None:
    full, here = (set(run.init_hashes) for run in with_full(arm))
    assert here == full - matching(full, arm.removes)
    assert all(matching(full, (pattern,)) for pattern in arm.removes)


@arms
def test_an_arm_starts_from_the_weights_of_full_but_for_what_it_redraws(arm: Arm) -> None:
    full, here = (run.init_hashes for run in with_full(arm))
    differing = {name for name in here if here[name] != full[name]}
    assert differing == matching(set(here), arm.redraws)


@arms
def test_an_arm_sees_the_batches_and_negatives_of_full(arm: Arm) -> None:
    full, here = with_full(arm)
    assert here.draw_hashes() == full.draw_hashes()


@arms
def test_an_arm_leaves_a_trace_in_the_item_embeddings(arm: Arm) -> None:
    full, here = (run.best.item_embedding for run in with_full(arm))
    assert torch.equal(full, here) == (arm.name == "full")


@arms
def test_an_arm_changes_the_features_only_if_it_says_so(arm: Arm) -> None:
    full, here = (run.dataset for run in with_full(arm))
    assert here.split_hash == full.split_hash
    changed = {m for m in here.modalities if here.feature_hashes[m] != full.feature_hashes[m]}
    named = arm.changes.get("feature_transform", {})
    assert changed == set(full.modalities if "all" in named else named)


@models
def test_an_arm_of_another_model_trains_it_on_the_same_data_batches_and_negatives_for_as_long(arm: Arm) -> None:
    full, here = with_full(arm)
    assert here.model.name == arm.changes["model"]
    assert here.draw_hashes() == full.draw_hashes()
    assert here.dataset.data_hash == full.dataset.data_hash
    protocol = ("epochs", "batch_size", "stopping_step", "stopping_decimals", "valid_metric", "metrics")
    assert {key: getattr(here.config, key) for key in protocol} == {key: getattr(BASE, key) for key in protocol}
    assert set(here.init_hashes).isdisjoint(full.init_hashes)


@models
def test_an_arm_of_another_model_is_at_that_models_default_preset_in_all_else(arm: Arm) -> None:
    here, default = train(arm.name, "image").config.as_dict(), Config.from_mapping(arm.changes).as_dict()
    assert {key for key in default if default[key] != here[key]} <= {
        "epochs",
        "batch_size",
        "stopping_decimals",
    }


def test_fitting_club_at_weight_zero_recommends_what_removing_it_does() -> None:
    silent, removed = (train(name, "image").best.item_embedding for name in ("zero-club", "no-club"))
    torch.testing.assert_close(silent, removed, rtol=0, atol=1e-6)


def test_removing_both_losses_is_not_removing_either() -> None:
    embeddings = [train(name, "image").best.item_embedding for name in ("no-both", "no-club", "no-solosim")]
    assert not torch.equal(embeddings[0], embeddings[1])
    assert not torch.equal(embeddings[0], embeddings[2])

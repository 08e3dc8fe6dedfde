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


arms = pytest.mark.parametrize("arm", [load_arms([name])[-1] for name in sorted(arm_names())], ids=lambda arm: arm.name)


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


def test_fitting_club_at_weight_zero_recommends_what_removing_it_does() -> None:
    silent, removed = (train(name, "image").best.item_embedding for name in ("zero-club", "no-club"))
    torch.testing.assert_close(silent, removed, rtol=0, atol=1e-6)


def test_removing_both_losses_is_not_removing_either() -> None:
    embeddings = [train(name, "image").best.item_embedding for name in ("no-both", "no-club", "no-solosim")]
    assert not torch.equal(embeddings[0], embeddings[1])
    assert not torch.equal(embeddings[0], embeddings[2])

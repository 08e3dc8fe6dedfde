from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.errors import DivergedError, UserError
from sea_core.training.checkpoint import CheckpointError, from_bytes, to_bytes
from sea_core.training.run import TrainingRun
from tests.conftest import random_dataset

SMALL: dict[str, Any] = {
    "latent_dim": 8,
    "item_mlp_hidden": 12,
    "align_hidden": 8,
    "align_out": 6,
    "distance_dim": 5,
    "club_hidden": 4,
    "club_steps": 3,
    "batch_size": 64,
    "knn_k": 4,
    "learning_rate": 1e-2,
    "epochs": 4,
}


@pytest.fixture
def make_run(cache_folder: object) -> Callable[..., TrainingRun]:
    dataset = random_dataset()

    def make(data: Dataset = dataset, seed: int = 3, preset: str = "paper", **changes: Any) -> TrainingRun:
        return TrainingRun(Config.from_mapping({**SMALL, **changes}, preset=preset), data, seed=seed)

    return make


def trained(run: TrainingRun) -> TrainingRun:
    while not run.finished:
        run.advance()
    return run


def without_seconds(run: TrainingRun) -> list[Any]:
    return [report._replace(seconds=0, cpu_seconds=0) for report in run.reports]


def test_equal_config_and_seed_give_equal_bits(make_run: Callable[..., TrainingRun]) -> None:
    one, two = trained(make_run()), trained(make_run())
    assert without_seconds(one) == without_seconds(two)
    assert one.weights_hash() == two.weights_hash()
    assert one.weights_hash() != trained(make_run(seed=4)).weights_hash()


@pytest.mark.parametrize("preset", ["paper", "released"])
@pytest.mark.parametrize("stop_after", [1, 3])
def test_a_resumed_run_equals_an_undisturbed_one_to_the_bit(
    make_run: Callable[..., TrainingRun], preset: str, stop_after: int
) -> None:
    whole, first, second = (make_run(preset=preset) for _ in range(3))
    trained(whole)
    for _ in range(stop_after):
        first.advance()
    from_bytes(second, to_bytes(first))
    trained(second)
    assert without_seconds(second) == without_seconds(whole)
    assert second.weights_hash() == whole.weights_hash()
    assert second.best.epoch == whole.best.epoch
    assert torch.equal(second.best.item_embedding, whole.best.item_embedding)
    for name, values in whole.best.validation.values.items():
        np.testing.assert_array_equal(second.best.validation.values[name], values)


def test_clubs_net_is_fitted_in_every_kth_batch_of_the_run(make_run: Callable[..., TrainingRun]) -> None:
    run = make_run(club_fit_every=2)
    training = run._training
    assert training is not None
    steps = len(training.batches)
    assert steps % 2 != 0  # so that an epoch does not begin where the count does
    hashes, losses, fit = [], [], training.stepper.fitter.fit

    def fit_and_look(forward: Any) -> Any:
        terms = fit(forward)
        hashes.append(torch.cat([p.detach().flatten() for p in run.model.separation.club.parameters()]).clone())
        losses.append(float(terms["club_fit"]))
        return terms

    training.stepper.fitter.fit = fit_and_look
    run.advance()
    run.advance()
    changed = [0, *(n for n in range(1, 2 * steps) if not torch.equal(hashes[n], hashes[n - 1]))]
    assert changed == list(range(0, 2 * steps, 2))
    assert all(losses[n] == losses[n - n % 2] for n in range(2 * steps))


@pytest.mark.parametrize("stop_after", [1, 2])
def test_a_resumed_run_goes_on_counting_the_batches_of_the_fit(
    make_run: Callable[..., TrainingRun], stop_after: int
) -> None:
    whole, first, second = (make_run(club_fit_every=2) for _ in range(3))
    trained(whole)
    for _ in range(stop_after):
        first.advance()
    from_bytes(second, to_bytes(first))
    trained(second)
    assert without_seconds(second) == without_seconds(whole)
    assert second.weights_hash() == whole.weights_hash()


def test_a_checkpoint_of_another_run_or_with_flipped_bytes_is_refused(make_run: Callable[..., TrainingRun]) -> None:
    run = make_run()
    run.advance()
    data = to_bytes(run)
    with pytest.raises(CheckpointError, match="another seed"):
        from_bytes(make_run(seed=4), data)
    with pytest.raises(CheckpointError, match="another config"):
        from_bytes(make_run(temperature=0.3), data)
    with pytest.raises(CheckpointError, match="hash"):
        from_bytes(make_run(), data[:-1] + bytes([data[-1] ^ 1]))
    for length in (0, 4, 100, len(data) // 2):
        with pytest.raises(CheckpointError):
            from_bytes(make_run(), data[:length])


def test_removing_a_part_leaves_all_other_initial_weights_batches_and_negatives(
    make_run: Callable[..., TrainingRun],
) -> None:
    full = make_run()
    for changes in ({"distancing": "none"}, {"alignment": "none"}, {"distancing": "none", "alignment": "none"}):
        arm = make_run(**changes)
        assert arm.draw_hashes() == full.draw_hashes()
        assert set(arm.init_hashes) < set(full.init_hashes)
        assert all(full.init_hashes[name] == value for name, value in arm.init_hashes.items())


def test_removed_and_zero_weighted_club_train_the_same_model_but_only_one_is_fitted(
    make_run: Callable[..., TrainingRun],
) -> None:
    removed, weightless = make_run(distancing="none"), make_run(distance_weight=0.0)
    assert not any("club" in name for name in removed.init_hashes)
    before = weightless.init_hashes["separation.club.mean.0.weight"]
    trained(removed), trained(weightless)
    assert "club_fit" in weightless.reports[0].losses
    assert "club_fit" not in removed.reports[0].losses
    assert weightless.weights_hash() != before
    assert [r.validation for r in removed.reports] == [r.validation for r in weightless.reports]


def test_training_stops_after_more_than_stopping_step_epochs_without_a_better_value(
    make_run: Callable[..., TrainingRun],
) -> None:
    run = trained(make_run(epochs=60, stopping_step=3, learning_rate=3e-2))
    values = [report.validation["recall@20"] for report in run.reports]
    best = int(np.argmax(values))  # the first of equals: a tie is no improvement
    assert run.best.epoch == best
    assert len(values) == best + 3 + 2 < 60
    assert [report.improved for report in run.reports] == [
        value > max(values[:epoch], default=-1) for epoch, value in enumerate(values)
    ]


def test_rounding_for_stopping_ignores_smaller_improvements(make_run: Callable[..., TrainingRun]) -> None:
    run = trained(make_run(epochs=12, stopping_decimals=1))
    rounded = [round(report.validation["recall@20"], 1) for report in run.reports]
    assert run.best.epoch == int(np.argmax(rounded))


def test_the_last_batch_embeddings_are_those_before_the_last_optimiser_step(
    make_run: Callable[..., TrainingRun],
) -> None:
    """With one batch an epoch, they are the embeddings of the epoch's start."""
    fresh = make_run(batch_size=1000, epochs=2)
    stale = make_run(batch_size=1000, epochs=2, evaluation_embeddings="last_batch")
    fresh.advance()
    stale.advance(), stale.advance()
    assert stale.reports[1].validation == fresh.reports[0].validation


@pytest.mark.filterwarnings("ignore:overflow")
def test_divergence_names_epoch_batch_and_term(make_run: Callable[..., TrainingRun]) -> None:
    run = make_run()
    run.advance()
    with torch.no_grad():
        run.model.projections["text"].bias[0] = float("nan")
    with pytest.raises(DivergedError, match=r"loss term 'bpr' is not finite \(epoch 1, batch 0\)") as raised:
        run.advance()
    assert (raised.value.epoch, raised.value.batch, raised.value.term) == (1, 0, "bpr")


def test_the_released_preset_refuses_other_than_two_modalities(make_run: Callable[..., TrainingRun]) -> None:
    three = random_dataset(dims={"image": 6, "text": 5, "audio": 4})
    with pytest.raises(UserError, match="exactly two modalities"):
        make_run(three, preset="released")
    assert trained(make_run(three, epochs=1)).best.epoch == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"split_stage": "representation"},
        {"alignment": "symmetric_infonce"},
        {"distancing": "negative_l2"},
        {"alignment_items": "sample:7", "distance_items": "sample:9"},
        {"alignment_items": "batch", "distance_items": "batch"},
        {"gnn_layers": 0, "item_graph_layers": 0},
        {"gnn_layers": 3, "item_graph_layers": 2},
        {"split_ratio": 0.01},
        {"split_ratio": 0.99},
    ],
)
def test_every_named_choice_changes_what_is_trained(make_run: Callable[..., TrainingRun], changes: Any) -> None:
    full, changed = trained(make_run(epochs=2)), trained(make_run(epochs=2, **changes))
    assert [r.losses for r in full.reports] != [r.losses for r in changed.reports]


def test_sampling_all_items_equals_using_all(make_run: Callable[..., TrainingRun]) -> None:
    assert (
        trained(make_run(epochs=2, alignment_items="sample:25", distance_items="sample:99")).reports[1].losses
        == trained(make_run(epochs=2)).reports[1].losses
    )


def test_one_modality_trains_without_alignment(make_run: Callable[..., TrainingRun]) -> None:
    run = trained(make_run(random_dataset(dims={"text": 8}), epochs=2))
    assert "alignment" not in run.reports[0].losses
    assert "distance_text" in run.reports[0].losses

"""SEA's losses on VBPR and FREEDOM: what they add, what they leave alone, and what they cannot reach."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from sea_core.config import Config
from sea_core.errors import UserError
from sea_core.layers.draws import Draws
from sea_core.models.protocol import Batch, TrainedModel
from sea_core.models.registry import find_model
from sea_core.models.separated import SeparatedModel
from sea_core.training.run import TrainingRun
from tests.conftest import random_dataset

DATA = random_dataset()
SMALL: dict[str, Any] = {
    "latent_dim": 6,
    "align_hidden": 4,
    "align_out": 3,
    "distance_dim": 4,
    "club_hidden": 3,
    "club_steps": 2,
    "batch_size": 64,
    "learning_rate": 0.01,
    "epochs": 3,
}
OFF = {"alignment": "none", "distancing": "none"}
PAIRS = [("vbpr", "vbpr+sea"), ("freedom", "freedom+sea")]
BACKBONE = {"vbpr": {}, "freedom": {"knn_k": 4, "edge_dropout": 0.5, "modality_weight": 0.1}}
# Weights that leave a trace within three epochs.
LOUD = {"alignment_weight": 1.0, "distance_weight": 0.5, "club_clamp": False}


def run_of(model: str, **changes: Any) -> TrainingRun:
    separates = issubclass(find_model(model), SeparatedModel)
    own = SMALL if separates else {k: SMALL[k] for k in ("latent_dim", "batch_size", "learning_rate", "epochs")}
    config = Config.from_mapping({"model": model, **own, **BACKBONE[model.partition("+")[0]], **changes})
    return TrainingRun(config, DATA, seed=5)


def scores(run: TrainingRun) -> torch.Tensor:
    while not run.finished:
        run.advance()
    return run.scorer()(torch.arange(DATA.users))


@pytest.mark.parametrize(("backbone", "separated"), PAIRS)
def test_without_both_losses_it_is_its_backbone_to_the_bit(backbone: str, separated: str) -> None:
    alone, without = run_of(backbone), run_of(separated, **OFF)
    assert torch.equal(scores(alone), scores(without))
    assert alone.weights_hash() == without.weights_hash()


@pytest.mark.parametrize(("backbone", "separated"), PAIRS)
def test_it_begins_with_the_weights_batches_and_negatives_of_its_backbone(backbone: str, separated: str) -> None:
    alone, both = run_of(backbone), run_of(separated)
    assert alone.init_hashes.items() <= both.init_hashes.items()
    assert alone.draw_hashes() == both.draw_hashes()


@pytest.mark.parametrize(("backbone", "separated"), PAIRS)
def test_the_losses_change_what_is_scored_where_the_projection_is_shared(backbone: str, separated: str) -> None:
    assert not torch.equal(scores(run_of(backbone)), scores(run_of(separated, **LOUD)))


@pytest.mark.parametrize(("backbone", "separated"), PAIRS)
def test_with_projections_of_its_own_the_losses_cannot_reach_what_is_scored(backbone: str, separated: str) -> None:
    """So the logs' VBPR + SEA and FREEDOM + SEA, read as their module lists say, rank as their backbones do."""
    beside = run_of(separated, separation_input="own", **LOUD)
    assert torch.equal(scores(run_of(backbone)), scores(beside))
    assert (
        beside.reports[-1].losses["alignment"] < beside.reports[0].losses["alignment"]
    )  # they are trained all the same


def test_on_freedom_they_cannot_either_where_the_terms_of_the_features_have_no_weight() -> None:
    alone, both = run_of("freedom", modality_weight=0.0), run_of("freedom+sea", modality_weight=0.0, **LOUD)
    assert torch.equal(scores(alone), scores(both))


@pytest.mark.parametrize("separated", ["vbpr+sea", "freedom+sea"])
@pytest.mark.parametrize("source", ["shared", "own"])
def test_its_losses_are_those_written_down(separated: str, source: str) -> None:
    run = run_of(separated, separation_input=source, club_clamp=False)
    model, inputs = run.model, run.inputs
    assert isinstance(model, SeparatedModel)
    batch = Batch(torch.tensor([0, 1, 2]), torch.tensor([3, 4, 5]), torch.tensor([6, 7, 8]))
    permutations = {m: torch.randperm(DATA.items, generator=torch.Generator().manual_seed(1)) for m in DATA.modalities}
    draws: Any = model.draws_of_epoch(inputs, seed=5, epoch=0)(batch)
    mine = Draws(permutations)
    draws = mine if separated == "vbpr+sea" else draws._replace(separation=mine)
    losses = model(inputs, batch, draws).terms

    split: dict[str, torch.Tensor] = {}
    for m, features in DATA.features.items():
        table = torch.from_numpy(features)
        if source == "own":
            split[m] = model.own_projections[m](table)
        elif separated == "freedom+sea":
            split[m] = model.projections[m](model.tables[m])
        else:
            first = 0 if m == "text" else DATA.features["text"].shape[1]
            split[m] = table @ model.projection.weight[:, first : first + table.shape[1]].T
    half, parts = 3, model.separation
    aligned = {m: F.normalize(head(parts.align_head[m], split[m][:, :half]), dim=1) for m in split}
    logits = aligned["text"] @ aligned["image"].T / model.config.temperature
    torch.testing.assert_close(losses["alignment"], F.cross_entropy(logits, torch.arange(DATA.items)))
    distances = []
    for m in split:
        x, y = parts.generic_head[m](split[m][:, :half]), parts.unique_head[m](split[m][:, half:])
        bound = (likelihood(parts.club, x, y) - likelihood(parts.club, x, y[permutations[m]])).mean() / 2
        torch.testing.assert_close(losses[f"distance_{m}"], bound)
        distances.append(bound)
    backbone = find_model(separated.partition("+")[0])
    assert issubclass(backbone, TrainedModel)
    own = losses["bpr"]
    own = own + (model.config.reg_weight * losses["reg"] if "reg" in losses else 0)
    own = own + model.config.modality_weight * sum(value for name, value in losses.items() if name.startswith("bpr_"))
    total = own + 0.012 * losses["alignment"] + 0.006 * torch.stack(distances).mean()
    torch.testing.assert_close(losses["total"], total)


def head(module: Any, x: torch.Tensor) -> torch.Tensor:
    for layer in (0, 1):
        x = module.layers[layer](x)
        x = F.relu((x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + 1e-5))
    return module.layers[2](x)


def likelihood(net: Any, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    mean = net.mean[1](F.relu(net.mean[0](x)))
    log_variance = torch.tanh(net.log_variance[1](F.relu(net.log_variance[0](x))))
    return (-((mean - y) ** 2) / (2 * torch.exp(log_variance)) - log_variance / 2).sum(dim=1)


@pytest.mark.parametrize("separated", ["vbpr+sea", "freedom+sea"])
def test_its_parts_are_kept_for_diagnosis(separated: str) -> None:
    config = run_of(separated).config
    run = TrainingRun(config, DATA, seed=5, keep_best_weights=True)
    scores(run)
    parts = run.best_parts(torch.arange(10).numpy())
    assert parts is not None
    assert {name: tuple(part.shape) for name, part in parts.items() if name.startswith(("generic/", "unique/"))} == {
        f"{part}/{m}": (10, 3) for part in ("generic", "unique") for m in DATA.modalities
    }


@pytest.mark.parametrize("separated", ["vbpr+sea", "freedom+sea"])
def test_one_modality_is_distanced_but_has_nothing_to_align_with(separated: str) -> None:
    data = random_dataset(dims={"text": 10})
    run = TrainingRun(run_of(separated).config, data, seed=5)
    report = run.advance()
    assert "distance_text" in report.losses
    assert "alignment" not in report.losses
    with pytest.raises(UserError, match="needs exactly two modalities"):
        TrainingRun(run.config.override(club_fit_pairs="cross_modal"), data, seed=5)


@pytest.mark.parametrize("model", ["vbpr", "freedom"])
def test_a_backbone_trains_with_one_modality_and_with_three(model: str) -> None:
    for dims in ({"text": 10}, {"image": 12, "text": 10, "audio": 7}):
        run = TrainingRun(run_of(model).config, random_dataset(dims=dims), seed=5)
        first, *_, last = [run.advance() for _ in range(3)]
        assert last.losses["bpr"] < first.losses["bpr"]


def test_dropping_every_edge_is_refused() -> None:
    with pytest.raises(UserError, match=r"edge_dropout must be in \[0, 1\), got 1.0"):
        Config.from_mapping({"model": "freedom", "edge_dropout": 1})
    with pytest.raises(UserError, match=r"edge_dropout 0.999 keeps none of the 180 training edges; lower it"):
        run_of("freedom", edge_dropout=0.999)


def test_the_edges_of_an_epoch_are_those_of_every_arm_of_a_seed_and_others_in_the_next() -> None:
    plain, arm = run_of("freedom"), run_of("freedom+sea", distancing="none", gnn_layers=3)
    assert isinstance(plain.model, TrainedModel)
    assert isinstance(arm.model, TrainedModel)
    batch = Batch(*(torch.tensor([0, 1]) for _ in range(3)))

    def graph(run: TrainingRun, epoch: int) -> torch.Tensor:
        assert isinstance(run.model, TrainedModel)
        drawn = run.model.draws_of_epoch(run.inputs, seed=5, epoch=epoch)(batch)
        return getattr(drawn, "user_item", drawn).matrix.to_dense()

    assert torch.equal(graph(plain, 2), graph(arm, 2))
    assert not torch.equal(graph(plain, 2), graph(plain, 3))

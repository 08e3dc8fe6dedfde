"""Golden records of MMRec's models, and random ones of other shapes from literal twins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sea_core import parity
from sea_core.errors import UserError
from sea_core.parity import load_record
from sea_core.parity_mmrec import TOLERANCES, config_of, replay_mmrec
from tests.reference.mmrec_records import TWINS, random_record

GOLDEN = Path(__file__).parents[1] / "golden"
CLIPPED = {"clip_grad_norm": {"max_norm": 0.05, "norm_type": 2}}
SHAPES: list[tuple[str, dict[str, Any]]] = [
    ("BPR", {}),
    ("BPR", {"users": 31, "items": 90, "pairs": 400, "embedding_size": 7, "reg_weight": 1e-5, "train_batch_size": 50}),
    ("BPR", {"weight_decay": 0.01, "learning_rate": 0.01, **CLIPPED}),
    ("LightGCN", {"n_layers": 4, "reg_weight": 0.1}),
    ("LightGCN", {"n_layers": 2, "users": 90, "items": 25, "embedding_size": 16, "train_batch_size": 2048}),
    ("LightGCN", {"n_layers": 3, "weight_decay": 1e-3, "learning_rate_scheduler": [0.96, 50], **CLIPPED}),
    # Without the regulariser the map's bias cancels in every margin, and Adam would make steps of rounding noise.
    ("VBPR", {"reg_weight": 0.1}),
    ("VBPR", {"dims": {"image": 33, "text": 5}, "items": 300, "pairs": 900, "train_batch_size": 60}),
    ("VBPR", {"dims": {"text": 16}, "embedding_size": 12, "weight_decay": 1e-3}),
    ("VBPR", {"dims": {"image": 20}, "users": 20, "items": 64, "pairs": 128, "train_batch_size": 32, **CLIPPED}),
    ("FREEDOM", {"reg_weight": 0.0}),
    ("FREEDOM", {"dropout": 0.0, "n_ui_layers": 3, "n_mm_layers": 2, "knn_k": 3, "mm_image_weight": 0.6}),
    ("FREEDOM", {"dropout": 0.9, "reg_weight": 0.1, "users": 120, "items": 300, "pairs": 1000, "train_batch_size": 80}),
    ("FREEDOM", {"dims": {"text": 16}, "reg_weight": 0.01, "embedding_size": 20, "weight_decay": 1e-3}),
    ("FREEDOM", {"dims": {"image": 9}, "dropout": 0.5, "mm_image_weight": 0.0, "n_mm_layers": 0, **CLIPPED}),
    ("LightGCN", {"n_layers": 0, "reg_weight": 1e-3, "embedding_size": 1}),
    ("FREEDOM", {"n_ui_layers": 0, "n_mm_layers": 3, "knn_k": 1, "dropout": 0.95, "pairs": 900}),
    (
        "FREEDOM",
        {"n_ui_layers": 4, "knn_k": 40, "dropout": -0.1, "dims": {"image": 3, "text": 2}, "mm_image_weight": 0.15},
    ),
    ("FREEDOM", {"reg_weight": 0.0, "weight_decay": 0.01, "mm_image_weight": 1.0, "n_ui_layers": 1}),
]


def beyond(record: dict[str, np.ndarray]) -> list[str]:
    return [name for name, error in replay_mmrec(record).items() if not error.within(TOLERANCES[name])]


@pytest.fixture(params=["bpr", "lightgcn", "vbpr", "freedom"])
def golden(request: pytest.FixtureRequest) -> dict[str, np.ndarray]:
    return load_record(GOLDEN / f"{request.param}_step_A.npz")


def test_every_quantity_of_the_golden_records_is_within_tolerance(golden: dict[str, np.ndarray]) -> None:
    assert beyond(golden) == []


@pytest.mark.parametrize(("model", "settings"), SHAPES, ids=lambda value: value if isinstance(value, str) else None)
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.slow
def test_records_of_other_shapes_are_replayed(model: str, settings: dict[str, Any], seed: int) -> None:
    assert beyond(random_record(model, seed=seed, **settings)) == []


@pytest.mark.parametrize(
    ("key", "quantity"),
    [
        ("step1/loss/total", "loss"),
        ("step2/item_representation", "representation"),
        ("final/scores", "scores"),
        ("final/valid/unrounded/recall@20", "metrics"),
        ("final/test/ndcg@10", "rounded_metrics"),
    ],
)
def test_a_changed_entry_is_found(golden: dict[str, np.ndarray], key: str, quantity: str) -> None:
    assert quantity in beyond({**golden, key: golden[key] * 1.01})


@pytest.mark.parametrize("group", ["step0/grad/", "final/"])
def test_a_change_of_any_parameter_is_found_but_for_the_biases_that_cancel(
    golden: dict[str, np.ndarray], group: str
) -> None:
    quantity = "gradient" if group.startswith("step0") else "final_parameters"
    for name in json.loads(str(golden["meta"]))["parameters"]:
        changed = {**golden, f"{group}{name}": golden[f"{group}{name}"] + 0.01}
        assert (quantity in beyond(changed)) == (not name.endswith("_trs.bias")), name


@pytest.mark.parametrize(
    "key", ["graph/user_item/values", "graph/item/mixed/values", "graph/pruned/values", "graph/edge/weight"]
)
def test_a_changed_graph_is_found(key: str) -> None:
    record = load_record(GOLDEN / "freedom_step_A.npz")
    assert beyond({**record, key: record[key] * 1.001}) == ["graph"]


def test_a_program_replays_either_format_and_says_how_it_went(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = load_record(GOLDEN / "bpr_step_A.npz")
    for name, scores, code in (("good", record["final/scores"], 0), ("bad", record["final/scores"] + 1, 1)):
        np.savez(tmp_path / f"{name}.npz", **{**record, "final/scores": scores})
        monkeypatch.setattr("sys.argv", ["parity", str(tmp_path / f"{name}.npz"), "--json"])
        assert parity.main() == code
        assert json.loads(capsys.readouterr().out)["passed"] is (code == 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "LATTICE"}, "of the model 'LATTICE', expected one of bpr, lightgcn, vbpr, freedom"),
        ({"hyper_parameters": {"learner": "sgd"}}, "the learner 'sgd', expected adam"),
        ({"hyper_parameters": {"clip_grad_norm": {"max_norm": 1, "norm_type": 1}}}, "clips by the 1-norm"),
        ({"hyper_parameters": {"embedding_size": 0}}, "latent_dim must be > 0, got 0"),
    ],
)
def test_a_record_that_cannot_be_replayed_says_why(change: dict[str, Any], message: str) -> None:
    meta = json.loads(str(load_record(GOLDEN / "bpr_step_A.npz")["meta"]))
    settings = {**meta["hyper_parameters"], **change.pop("hyper_parameters", {})}
    with pytest.raises(UserError, match=message):
        config_of({**meta, **change, "hyper_parameters": settings})


def test_each_twin_has_its_record(golden: dict[str, np.ndarray]) -> None:
    meta = json.loads(str(golden["meta"]))
    settings = {key: value for key, value in meta["hyper_parameters"].items() if key != "seed"}
    twin = random_record(meta["model"], **settings)
    assert meta["model"] in TWINS
    # A record without unrounded metrics or versions would still be one; the arrays are the same.
    assert {key: twin[key].shape for key in twin if key.startswith("init/")} == {
        key: golden[key].shape for key in golden if key.startswith("init/")
    }
    assert twin.keys() == golden.keys()

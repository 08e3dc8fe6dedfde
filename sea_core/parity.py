"""Replay a golden record: ``python -m sea_core.parity FILE.npz [--json]``.

A golden record holds every parameter before the first and after the last of a few training steps, the batches and
permutations in between, and what the authors' released code computed from them (tests/golden/README.md). The replay
uses the same model and step as training does and reports, for each quantity, the largest error. Records of MMRec's
models have another format (``parity_mmrec.py``); a record says itself which it is.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sea_core.config import Config
from sea_core.data.dataset import Dataset, Interactions
from sea_core.errors import UserError, run_program
from sea_core.evaluation.full_ranking import embedding_scorer, evaluate
from sea_core.layers.draws import Draws
from sea_core.models.protocol import Batch
from sea_core.models.sea import SEA, make_inputs
from sea_core.options import Parser
from sea_core.parity_errors import Errors
from sea_core.parity_mmrec import TOLERANCES as MMREC_TOLERANCES
from sea_core.parity_mmrec import is_record_of_mmrec, replay_mmrec
from sea_core.training.step import Stepper

# How close is equal, absolute; gradients relative to each tensor's largest entry.
TOLERANCES = {
    "item_graph": 1e-6,
    "loss": 1e-5,
    "head": 1e-5,
    "representation_step0": 1e-5,
    "representation_later": 1e-4,
    "gradient": 1e-4,
    "club_fit": 1e-5,
    "final_parameters": 1e-5,
    "scores": 1e-4,
    "metrics": 1e-12,  # rounded to 4 decimals on both sides, so equal or not
}
# Gradients below this are rounding noise, which Adam turns into steps of the learning rate.
GRADIENT_NOISE = 1e-6


def replay(record: Mapping[str, np.ndarray]) -> dict[str, Errors]:
    """Replay a record's steps and collect the errors of each quantity in ``TOLERANCES``.

    Raises:
        UserError: the record lacks a key, or its shapes do not fit its config.
    """
    errors = {name: Errors() for name in TOLERANCES}
    settings = json.loads(str(record["config"]))
    config = config_of(settings)
    dataset = _dataset_of(record, settings)
    inputs = make_inputs(config, dataset, device="cpu")
    errors["item_graph"].add(inputs.item_item.matrix.to_dense().numpy(), record["item_graph"])

    feature_dims = {m: values.shape[1] for m, values in dataset.features.items()}
    model = SEA(config, users=dataset.users, feature_dims=feature_dims, seed=0)
    parameters = dict(model.named_parameters())
    names = {name: golden_name(name) for name in parameters}
    with torch.no_grad():
        for name, parameter in parameters.items():
            initial = torch.from_numpy(record[f"init/{names[name]}"])
            if initial.shape != parameter.shape:
                raise UserError(
                    f"init/{names[name]} has shape {tuple(initial.shape)}, expected {tuple(parameter.shape)}"
                )
            parameter.copy_(initial)

    stepper = Stepper(model)
    for step in range(settings["steps"]):
        prefix = f"step{step}"
        batch = Batch(*(torch.from_numpy(record[f"{prefix}/batch/{c}"]) for c in ("user", "positive", "negative")))
        permutations = {
            m: torch.from_numpy(record[f"{prefix}/club_permutation/{m}"]).long() for m in dataset.modalities
        }
        forward, terms = stepper.step(inputs, batch, Draws(permutations))
        for key in record:
            if key.startswith(f"{prefix}/loss/"):
                errors["loss"].add(terms[key.removeprefix(f"{prefix}/loss/")].numpy(), record[key])
        errors["club_fit"].add(terms["club_fit"].numpy(), record[f"{prefix}/club_fit_loss"])
        representation = errors["representation_step0" if step == 0 else "representation_later"]
        assert forward.embeddings is not None
        assert forward.heads is not None
        user, item = forward.embeddings.user.detach(), forward.embeddings.item.detach()
        representation.add(user.numpy(), record[f"{prefix}/user_representation"])
        representation.add(item.numpy(), record[f"{prefix}/item_representation"])
        for m in dataset.modalities:
            errors["head"].add(forward.heads.generic[m].detach().numpy(), record[f"{prefix}/head/{m}_generic"])
            errors["head"].add(forward.heads.unique[m].detach().numpy(), record[f"{prefix}/head/{m}_unique"])
        if step == 0:
            _compare_gradients(errors["gradient"], parameters, names, record)

    for name, parameter in parameters.items():
        if not _before_batch_norm(name):
            gradient = record.get(f"step0/grad/{names[name]}")
            expected = record[f"final/{names[name]}"]
            moved = np.ones_like(expected, dtype=bool) if gradient is None else np.abs(gradient) > GRADIENT_NOISE
            errors["final_parameters"].add(parameter.detach().numpy()[moved], expected[moved])

    # The released code evaluates the last forward, before its optimiser step.
    errors["scores"].add((user @ item.T).numpy(), record["final/scores"])
    for split in ("valid", "test"):
        relevant = Interactions(record[f"{split}/user"].astype(np.int64), record[f"{split}/item"].astype(np.int64))
        means = evaluate(embedding_scorer(user, item), train=dataset.train_matrix, relevant=relevant).means()
        for key in record:
            if key.startswith(f"final/{split}/"):
                metric = key.removeprefix(f"final/{split}/")
                theirs = record[key].astype(np.float64).round(4)  # which a record may hold in float32
                errors["metrics"].add(np.array(round(means[metric], 4)), theirs)
    return errors


def config_of(settings: Mapping[str, Any]) -> Config:
    """The config a record was made with, from the settings it carries."""
    same = (
        "knn_k image_weight latent_dim item_mlp_hidden gnn_layers item_graph_layers split_ratio alignment_weight "
        "temperature align_hidden align_out distance_weight distance_dim club_hidden club_steps club_learning_rate "
        "learning_rate adam_eps"
    )
    values = {key: settings[key] for key in same.split()}
    values["adam_beta1"], values["adam_beta2"] = settings["adam_betas"]
    values["club_fit_pairs"] = "cross_modal" if settings["club_pairs"] == "released" else "evaluated"
    values["bpr_log_base"] = "2" if settings["bpr_log_base"] == 2 else "e"
    return Config.from_mapping(values, preset="released", source="the record's config")


def golden_name(name: str) -> str:
    """A parameter's name in a record: ``backbone.item_mlp.image.0.weight`` -> ``image/item_mlp/0/weight``."""
    parts = name.split(".")
    if parts[0] == "projections":
        return "/".join([parts[1], "projection", *parts[2:]])
    if parts[1] == "club":
        return "/".join(parts[1:])
    if parts[1] == "user_modality_weight":
        return parts[1]
    module, modality, rest = parts[1], parts[2], parts[3:]
    if module == "align_head":
        kind, index, *rest = rest
        rest = [index if kind == "layers" else f"norm{index}", *rest]
    return "/".join([modality, module, *rest])


def _before_batch_norm(name: str) -> bool:
    """Biases that a batch norm removes: their gradient is 0 in exact arithmetic and noise in any other."""
    return ".align_head." in name and (name.endswith(("layers.0.bias", "layers.1.bias")))


def _compare_gradients(
    errors: Errors,
    parameters: Mapping[str, torch.nn.Parameter],
    names: Mapping[str, str],
    record: Mapping[str, np.ndarray],
) -> None:
    for name, parameter in parameters.items():
        expected = record.get(f"step0/grad/{names[name]}")
        if expected is None or _before_batch_norm(name):
            continue
        assert parameter.grad is not None
        scale = max(float(np.abs(expected).max()), np.finfo(np.float32).tiny)
        errors.add(parameter.grad.numpy() / scale, expected / scale)


def _dataset_of(record: Mapping[str, np.ndarray], settings: Mapping[str, Any]) -> Dataset:
    splits = [
        Interactions(record[f"{split}/user"].astype(np.int64), record[f"{split}/item"].astype(np.int64))
        for split in ("train", "valid")
    ]
    return Dataset(
        name="golden record",
        source="",
        users=settings["n_users"],
        items=settings["n_items"],
        train=splits[0],
        valid=splits[1],
        features={m: np.ascontiguousarray(record[f"feat/{m}"], dtype=np.float32) for m in ("image", "text")},
    )


def load_record(path: Path) -> dict[str, np.ndarray]:
    """Read a record without unpickling anything.

    Raises:
        UserError: no such file, or not a golden record.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            record = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"cannot read the record {path}: {error}; expected an .npz written by numpy.savez") from error
    if "config" not in record and not is_record_of_mmrec(record):
        raise UserError(
            f"{path} has neither a 'config' (SEA) nor a 'meta' entry (models of MMRec), so it is not a golden record "
            "(tests/golden/README.md)"
        )
    return record


def main() -> int:
    """Replay the record named on the command line; 0 if all errors are within tolerance, 1 if not."""
    parser = Parser(prog="python -m sea_core.parity", description="Replay a golden training record and compare.")
    parser.add_argument("record", type=Path, metavar="FILE.npz", help="the record to replay")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    arguments = parser.parse_args()
    try:
        record = load_record(arguments.record)
        mmrec = is_record_of_mmrec(record)
        errors, tolerances = (replay_mmrec(record), MMREC_TOLERANCES) if mmrec else (replay(record), TOLERANCES)
    except (KeyError, json.JSONDecodeError) as error:
        raise UserError(f"{arguments.record} is not a complete golden record: {error}") from error
    rows = {
        name: {
            "absolute": error.absolute,
            "relative": error.relative,
            "compared": error.compared,
            "tolerance": tolerances[name],
            "ok": error.within(tolerances[name]),
        }
        for name, error in errors.items()
    }
    passed = all(row["ok"] for row in rows.values())
    if arguments.json:
        print(json.dumps({"record": str(arguments.record), "passed": passed, "quantities": rows}))
    else:
        print(f"{'quantity':<22}{'max abs error':>14}{'max rel error':>14}{'tolerance':>11}{'values':>9}")
        for name, row in rows.items():
            verdict = "ok" if row["ok"] else "BEYOND TOLERANCE"
            figures = f"{row['absolute']:>14.2e}{row['relative']:>14.2e}{row['tolerance']:>11.0e}{row['compared']:>9}"
            print(f"{name:<22}{figures}  {verdict}")
        print("parity holds" if passed else "parity FAILS")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(run_program(main))

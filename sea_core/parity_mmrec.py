"""Replay of a record of MMRec's BPR, LightGCN, VBPR or FREEDOM (tests/golden/models_README.md has the format)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from sea_core.config import Config
from sea_core.data.dataset import Dataset, Interactions
from sea_core.errors import UserError
from sea_core.evaluation.full_ranking import evaluate
from sea_core.graphs.edge_dropping import Edges, count_kept, weighted_edges
from sea_core.graphs.item_item import item_graph
from sea_core.graphs.products import SparseGraph
from sea_core.mmrec_names import CONFIG_KEYS
from sea_core.models.freedom import FREEDOM
from sea_core.models.protocol import Batch, Embeddings, TrainedModel
from sea_core.models.registry import find_model
from sea_core.parity_errors import Errors
from sea_core.training.step import Stepper

# How close is equal: absolute but for losses, which are relative; gradients in units of each tensor's largest entry.
TOLERANCES = {
    "graph": 1e-6,
    "loss": 1e-6,
    "representation": 1e-5,
    "gradient": 1e-4,
    "final_parameters": 1e-5,
    "scores": 1e-4,
    "metrics": 1e-6,
    "rounded_metrics": 1e-12,  # of one's own scores: equal or not
}
# A model has those that its record names.
_SETTINGS = {**CONFIG_KEYS, "dropout": "edge_dropout"}
_PARAMETERS = {
    "bpr": {"user_embedding": "user_embedding.weight", "item_embedding": "item_embedding.weight"},
    "lightgcn": {"user_embedding": "embedding_dict.user_emb", "item_embedding": "embedding_dict.item_emb"},
    "vbpr": {
        "user_embedding": "u_embedding",
        "item_embedding": "i_embedding",
        "projection.weight": "item_linear.weight",
        "projection.bias": "item_linear.bias",
    },
    "freedom": {"user_embedding": "user_embedding.weight", "item_embedding": "item_id_embedding.weight"},
}
# It cancels in every margin: 0 in exact arithmetic, rounding noise in any other, and Adam makes steps of that.
_NOISE = re.compile(r"projections\..*\.bias")


def is_record_of_mmrec(record: Mapping[str, np.ndarray]) -> bool:
    """Whether a record is of this format; SEA's own has a ``config`` instead of ``meta``."""
    return "meta" in record


def replay_mmrec(record: Mapping[str, np.ndarray]) -> dict[str, Errors]:
    """Replay a record's steps and collect the errors of each quantity in ``TOLERANCES``.

    Raises:
        UserError: the record is of another model or format, lacks a key, or its shapes do not fit its settings.
        KeyError: it lacks a key.
    """
    meta = json.loads(str(record["meta"]))
    if meta.get("format") != 1:
        raise UserError(f"the record has format {meta.get('format')!r}, expected 1; update SEA Study")
    config = config_of(meta)
    dataset = _dataset_of(record, meta, config)
    errors = {name: Errors(is_relative=name == "loss", optional=name == "graph") for name in TOLERANCES}
    kind = find_model(config.model)
    inputs = kind.prepare(config, dataset, device="cpu")
    model = kind.build(config, dataset, inputs, seed=0)
    if isinstance(model, FREEDOM):
        model = FREEDOM(config, dataset, seed=0, with_features=True)
    assert isinstance(model, TrainedModel)
    _compare_graphs(errors["graph"], record, config, dataset, inputs)

    parameters = dict(model.named_parameters())
    names = {name: recorded_name(config.model, name) for name in parameters}
    unread = {key for key in record if key.startswith("init/")} - {f"init/{name}" for name in names.values()}
    if unread:
        raise UserError(f"the record has {min(unread)}, which {config.model} does not have")
    with torch.no_grad():
        for name, parameter in parameters.items():
            initial = torch.from_numpy(record[f"init/{names[name]}"])
            if initial.shape != parameter.shape:
                actual, expected = tuple(initial.shape), tuple(parameter.shape)
                raise UserError(f"init/{names[name]} has shape {actual}, expected {expected}")
            parameter.copy_(initial)

    draws = _pruned_graph(errors["graph"], record, config, model, inputs)
    stepper = Stepper(model)
    stepper.begin_epoch(0)
    for step in range(meta["steps"]):
        prefix = f"step{step}"
        with torch.no_grad():
            seen = model.encode(inputs) if draws is None else _over(model, inputs, draws)
        for side, representation in (("user", seen.user), ("item", seen.item)):
            errors["representation"].add(representation.detach().numpy(), record[f"{prefix}/{side}_representation"])
        batch = Batch(*(torch.from_numpy(record[f"{prefix}/batch/{c}"]) for c in ("user", "positive", "negative")))
        observe = _gradient_observer(errors["gradient"], record, names, parameters) if step == 0 else None
        terms = _step(stepper, inputs, batch, draws, observe)
        for key in record:
            if key.startswith(f"{prefix}/loss/"):
                term = key.removeprefix(f"{prefix}/loss/")
                if term not in terms:
                    raise UserError(f"the record has {key}, which {config.model} does not have")
                errors["loss"].add(terms[term].numpy(), record[key].reshape(()))

    for name, parameter in parameters.items():
        if not _NOISE.fullmatch(name):
            errors["final_parameters"].add(parameter.detach().numpy(), record[f"final/{names[name]}"])
    with torch.no_grad():
        embeddings = model.encode(inputs)
        scores = embeddings.user @ embeddings.item.T
    errors["scores"].add(scores.numpy(), record["final/scores"])
    _compare_metrics(errors["metrics"], record, dataset, torch.from_numpy(record["final/scores"]), rounded=False)
    _compare_metrics(errors["rounded_metrics"], record, dataset, scores, rounded=True)
    return errors


def config_of(meta: Mapping[str, Any]) -> Config:
    """The config a record was made with, from the settings it carries.

    Raises:
        UserError: a model or setting that is not known here.
    """
    settings, model = meta["hyper_parameters"], str(meta["model"]).lower()
    if model not in _PARAMETERS:
        raise UserError(f"the record is of the model {meta['model']!r}, expected one of {', '.join(_PARAMETERS)}")
    values = {ours: settings[theirs] for theirs, ours in _SETTINGS.items() if theirs in settings}
    if model == "freedom":
        values["modality_weight"] = values.pop("reg_weight")
        values["edge_dropout"] = max(0.0, values["edge_dropout"])
        if settings.get("feat_embed_dim", settings["embedding_size"]) != settings["embedding_size"]:
            raise UserError("the record's feat_embed_dim must equal its embedding_size: users are held against both")
    if str(settings.get("learner", "adam")).lower() != "adam":
        raise UserError(f"the record was made with the learner {settings['learner']!r}, expected adam")
    optimizer = meta.get("optimizer", {})
    if "betas" in optimizer:
        values["adam_beta1"], values["adam_beta2"] = optimizer["betas"]
    if "eps" in optimizer:
        values["adam_eps"] = optimizer["eps"]
    values["learning_rate_decay"], values["learning_rate_decay_epochs"] = settings.get(
        "learning_rate_scheduler", [1.0, 50]
    )
    clip = settings.get("clip_grad_norm")
    if isinstance(clip, Mapping):
        if clip.get("norm_type", 2) != 2:
            raise UserError(f"the record clips by the {clip['norm_type']}-norm; only the 2-norm is known here")
        clip = clip["max_norm"]
    values["clip_grad_norm"] = clip
    return Config.from_record({"model": model, **values}, source="the record's hyper_parameters")


def recorded_name(model: str, name: str) -> str:
    """A parameter's name in a record: ``tables.image`` of FREEDOM -> ``image_embedding.weight``."""
    if name in _PARAMETERS[model]:
        return _PARAMETERS[model][name]
    part, modality, *rest = name.split(".")
    return f"{modality}_embedding.weight" if part == "tables" else f"{modality}_trs.{rest[0]}"


def _step(
    stepper: Stepper, inputs: Any, batch: Batch, draws: Any, observe: Callable[[], None] | None
) -> Mapping[str, Tensor]:
    """One step; gradients are looked at between the backward pass and the update, which may clip them in place."""
    if observe is None:
        return stepper.step(inputs, batch, draws)[1]
    update = stepper.optimiser.step

    def step() -> None:
        observe()
        update()

    stepper.optimiser.step = step  # type: ignore[method-assign]
    try:
        return stepper.step(inputs, batch, draws)[1]
    finally:
        stepper.optimiser.step = update  # type: ignore[method-assign]


def _gradient_observer(
    errors: Errors,
    record: Mapping[str, np.ndarray],
    names: Mapping[str, str],
    parameters: Mapping[str, torch.nn.Parameter],
) -> Callable[[], None]:
    def observe() -> None:
        for name, parameter in parameters.items():
            if _NOISE.fullmatch(name):
                continue
            expected = record[f"step0/grad/{names[name]}"]
            assert parameter.grad is not None
            scale = max(float(np.abs(expected).max()), float(np.finfo(np.float32).tiny))
            errors.add(parameter.grad.numpy() / scale, expected / scale)

    return observe


def _compare_graphs(
    errors: Errors, record: Mapping[str, np.ndarray], config: Config, dataset: Dataset, inputs: Any
) -> None:
    nodes = dataset.users + dataset.items
    if "graph/user_item/rows" in record:
        graph = inputs if isinstance(inputs, SparseGraph) else inputs.user_item
        _compare_graph(errors, graph.matrix, record, "graph/user_item", (nodes, nodes))
    square = (dataset.items, dataset.items)
    for m in dataset.modalities:
        if f"graph/item/{m}/rows" in record:
            weights = [float(m == other) for other in dataset.modalities]
            own = item_graph(dataset, knn_k=config.knn_k, weights=weights)
            _compare_graph(
                errors, SparseGraph.from_scipy(own, symmetric=False).matrix, record, f"graph/item/{m}", square
            )
    if "graph/item/mixed/rows" in record:
        _compare_graph(errors, inputs.item_item.matrix, record, "graph/item/mixed", square)
    if "graph/edge/user" in record:
        edges = weighted_edges(dataset.train_matrix)
        place = {pair: at for at, pair in enumerate(zip(edges.user.tolist(), edges.item.tolist(), strict=True))}
        theirs = list(zip(record["graph/edge/user"].tolist(), record["graph/edge/item"].tolist(), strict=True))
        if sorted(theirs) != sorted(place):
            raise UserError("graph/edge of the record does not hold each training pair once")
        weight = edges.weight.numpy()[[place[pair] for pair in theirs]]
        errors.add(weight, record["graph/edge/weight"])
        errors.add(weight / weight.sum(dtype=np.float64), record["graph/edge/probability"])


def _pruned_graph(
    errors: Errors, record: Mapping[str, np.ndarray], config: Config, model: TrainedModel, inputs: Any
) -> SparseGraph | None:
    """The recorded epoch's user-item graph of FREEDOM, from the edges that were drawn then."""
    if not isinstance(model, FREEDOM):
        return None
    if config.edge_dropout <= 0:
        return inputs.user_item
    columns = (torch.from_numpy(record[f"graph/edge/{name}"]) for name in ("user", "item", "weight"))
    edges, kept = Edges(*columns), torch.from_numpy(record["graph/pruned/kept"])
    if len(kept) != (expected := count_kept(len(edges.user), config.edge_dropout)):
        raise UserError(f"the record keeps {len(kept)} edges, expected {expected}")
    graph = model.pruned(edges, kept, device="cpu")
    _compare_graph(errors, graph.matrix, record, "graph/pruned", graph.shape)
    return graph


def _compare_graph(
    errors: Errors, graph: Tensor, record: Mapping[str, np.ndarray], key: str, shape: tuple[int, int]
) -> None:
    """Compare as matrices, entry by entry, without making them dense."""
    rows, columns, values = (record[f"{key}/{part}"] for part in ("rows", "cols", "values"))
    expected = sp.coo_array((values.astype(np.float64), (rows, columns)), shape=shape).tocsr()
    mine = sp.csr_array(
        (graph.values().double().numpy(), graph.col_indices().numpy(), graph.crow_indices().numpy()), shape=shape
    )
    difference = sp.csr_array(mine - expected)
    errors.add(difference.data, np.zeros_like(difference.data))
    errors.compared += len(values)


def _compare_metrics(
    errors: Errors, record: Mapping[str, np.ndarray], dataset: Dataset, scores: Tensor, *, rounded: bool
) -> None:
    for split in ("valid", "test"):
        relevant = Interactions(record[f"{split}/user"].astype(np.int64), record[f"{split}/item"].astype(np.int64))
        means = evaluate(lambda users: scores[users], train=dataset.train_matrix, relevant=relevant).means()
        for key in record:
            what = key.removeprefix(f"final/{split}/")
            if what != key and what.startswith("unrounded/") != rounded:
                metric = what.removeprefix("unrounded/")
                mine = np.array(round(means[metric], 4) if rounded else means[metric])
                theirs = record[key].astype(np.float64).reshape(())
                errors.add(mine, theirs.round(4) if rounded else theirs)


def _over(model: TrainedModel, inputs: Any, graph: SparseGraph) -> Embeddings:
    """The representation that FREEDOM trains with: over the epoch's graph, not the whole one."""
    assert isinstance(model, FREEDOM)
    return model.embed(inputs, graph)


def _dataset_of(record: Mapping[str, np.ndarray], meta: Mapping[str, Any], config: Config) -> Dataset:
    train, valid = (
        Interactions(record[f"{split}/user"].astype(np.int64), record[f"{split}/item"].astype(np.int64))
        for split in ("train", "valid")
    )
    named = [m for m in ("image", "text") if f"feat/{m}" in record]
    if config.model == "freedom":  # a record may hold features that were kept from the model
        named = [m for m in named if f"init/{m}_embedding.weight" in record]
    if config.model == "vbpr":
        named = _modalities_of_width(record, named)
    sizes = meta["sizes"]
    return Dataset(
        name="golden record",
        source="",
        users=sizes["n_users"],
        items=sizes["n_items"],
        train=train,
        valid=valid,
        features={m: np.ascontiguousarray(record[f"feat/{m}"], dtype=np.float32) for m in named},
    )


def _modalities_of_width(record: Mapping[str, np.ndarray], named: list[str]) -> list[str]:
    """The modalities that VBPR's map has columns for: all that are there, or the one of that width."""
    columns = record["init/item_linear.weight"].shape[1]
    for modalities in (named, *([m] for m in named)):
        if sum(record[f"feat/{m}"].shape[1] for m in modalities) == columns:
            return modalities
    raise UserError(f"init/item_linear.weight has {columns} columns, which fit no choice of the record's features")

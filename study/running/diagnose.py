"""What a final or ablation run leaves about its separation: parts of its items, and every diagnostic of them."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float, Int
from safetensors.numpy import save

from sea_core.data.dataset import Dataset
from sea_core.data.synthetic import Knobs, plant_factors
from sea_core.files import json_bytes
from sea_core.run_folder import DIAGNOSTICS, PARTS
from sea_core.streams import stream_seed
from sea_core.training.run import TrainingRun

SCHEMA_VERSION = 1
MOST_ITEMS, MOST_COLUMNS = 2000, 64

T = TypeVar("T")
Part = Float[np.ndarray, "items _"]


def diagnostic_files(run: TrainingRun) -> dict[str, bytes]:
    """``parts.safetensors`` and ``diagnostics.json`` of a run; empty if its best weights were not kept.

    Only what was trained on enters: no interaction but through the weights, and none of the test split.
    """
    items = chosen_items(run.dataset.items)
    whole = run.best_parts(items)
    if whole is None:
        return {}
    parts, kept = {}, {}
    for name, part in whole.items():
        parts[name], kept[name] = leading_columns(part.numpy())
    aligned = {name: parts.pop(name) for name in list(parts) if name.startswith("aligned/")}
    about = {
        "schema_version": SCHEMA_VERSION,
        "epoch": run.best.epoch,
        "of_items": run.dataset.items,
        "columns": f"at most {MOST_COLUMNS}: coordinates in the leading right singular vectors, where a part is wider",
        "kept": {name: kept[name] for name in parts},  # share of the sum of squares
    }
    losses = run.reports[run.best.epoch].losses if run.config.distancing == "club" else {}
    diagnostics = diagnose(
        {**parts, **aligned},
        losses=losses,
        factors=planted(run.dataset, run.config.modalities, items),
        rng=np.random.default_rng(stream_seed(run.seed, "diagnostics")),
    )
    facts = {"schema_version": SCHEMA_VERSION, "epoch": run.best.epoch, "items": len(items)}
    return {
        # One entry: safetensors writes several in an order that changes.
        PARTS: save({**parts, "items": items}, metadata={"about": json.dumps(about)}),
        DIAGNOSTICS: json_bytes({**facts, **diagnostics}),
    }


def chosen_items(items: int) -> Int[np.ndarray, " chosen"]:
    """All items, or ``MOST_ITEMS`` at random: the same in every run on one dataset, in ascending order."""
    if items <= MOST_ITEMS:
        return np.arange(items)
    rng = np.random.default_rng(stream_seed(0, "diagnostics/items"))
    return np.sort(rng.choice(items, MOST_ITEMS, replace=False))


def leading_columns(part: Part) -> tuple[Part, float]:
    """A part with at most ``MOST_COLUMNS`` columns, and the share of its sum of squares that they keep.

    Wider parts are turned into their leading right singular vectors, uncentred: of all projections to as many columns,
    this one keeps inner products and lengths best.
    """
    if part.shape[1] <= MOST_COLUMNS:
        return np.ascontiguousarray(part), 1.0
    from sklearn.utils.extmath import randomized_svd

    left, values, _ = randomized_svd(part, MOST_COLUMNS, n_iter=4, random_state=0)
    turned = np.ascontiguousarray(left * values, dtype=np.float32)
    total = float(np.square(part, dtype=np.float64).sum())
    return turned, float(np.square(values, dtype=np.float64).sum() / total) if total > 0 else 1.0


def diagnose(
    parts: Mapping[str, Part],
    *,
    losses: Mapping[str, float],
    factors: tuple[Part, Mapping[str, Part]] | None,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Every diagnostic of a run's parts, ready for JSON; None for what cannot be computed or does not apply.

    Args:
        parts: as ``item_parts`` names them, rows matched.
        losses: terms of the best epoch, for CLUB's bound and how often it was clamped; empty without CLUB.
        factors: on planted data, the items' shared factors, and modality -> its own.
        rng: splits items into the probes' folds.

    Returns:
        ``modalities``: name -> diagnostics of its two parts; ``pairs``: diagnostics between two modalities.
    """
    names = [name.partition("/")[2] for name in parts if name.startswith("generic/")]
    pairs = [_between(pair, parts) for pair in itertools.combinations(names, 2)]
    return {"modalities": {m: _within(m, parts, losses, factors, rng) for m in names}, "pairs": pairs}


def planted(
    dataset: Dataset, files: Mapping[str, str] | None, items: Int[np.ndarray, " chosen"]
) -> tuple[Part, dict[str, Part]] | None:
    """The factors behind some items of planted data, per modality of the dataset; None of other data.

    Args:
        dataset: what was trained on.
        files: the config's modality -> feature file, which says whose features go by another name.
        items: ids of the items.
    """
    name, _, knobs = dataset.source.partition(":")
    if name != "synthetic":
        return None
    shared, unique = plant_factors(Knobs.parse(knobs))
    names = {m: (files or {}).get(m, m).removesuffix("_feat.npy") for m in dataset.modalities}
    return shared[items], {m: unique[name][items] for m, name in names.items() if name in unique}


def _within(
    m: str,
    parts: Mapping[str, Part],
    losses: Mapping[str, float],
    factors: tuple[Part, Mapping[str, Part]] | None,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Diagnostics of one modality's two parts."""
    # scikit-learn and scipy.stats take a second to import; searches never need them.
    from sea_core.diagnostics.angles import angle_distribution
    from sea_core.diagnostics.dependence import linear_cka, rbf_hsic
    from sea_core.diagnostics.probe import linear_probe_r2
    from sea_core.diagnostics.recovery import factor_recovery
    from sea_core.diagnostics.sphere import uniformity

    generic, unique = parts[f"generic/{m}"], parts[f"unique/{m}"]
    diagnostics: dict[str, Any] = {
        "probe_r2": _number(lambda: linear_probe_r2(generic, unique, rng=rng)),
        "cka": _number(lambda: linear_cka(generic, unique)),
        # A generator of its own: the probes' folds must not depend on whether this is measured.
        "hsic": _number(lambda: rbf_hsic(generic, unique, rng=rng.spawn(1)[0]).hsic),
        "generic_uniformity": _number(lambda: uniformity(generic)),
        "unique_uniformity": _number(lambda: uniformity(unique)),
        "bound": losses.get(f"bound_{m}"),
        "clamped": losses.get(f"clamped_{m}"),
        "angle": None,
        "recovery": None,
    }
    if f"generic_head/{m}" in parts:
        heads = parts[f"generic_head/{m}"], parts[f"unique_head/{m}"]
        if (angles := _computed(lambda: angle_distribution(*heads))) is not None:
            diagnostics["angle"] = {key: value for key, value in angles._asdict().items() if key != "cosine"}
    if factors is not None and m in factors[1]:
        shared, own = factors[0], factors[1][m]
        recovery = _computed(
            lambda: factor_recovery(generic=generic, unique=unique, shared_factors=shared, unique_factors=own, rng=rng)
        )
        if recovery is not None:
            diagnostics["recovery"] = {**recovery._asdict(), "separation": recovery.separation}
    return diagnostics


def _between(pair: tuple[str, str], parts: Mapping[str, Part]) -> dict[str, Any]:
    """Diagnostics between two modalities."""
    from sea_core.diagnostics.dependence import linear_cka
    from sea_core.diagnostics.sphere import alignment

    first, second = pair
    heads = [parts[f"aligned/{m}"] for m in pair if f"aligned/{m}" in parts]
    return {
        "modalities": list(pair),
        "generic_cka": _number(lambda: linear_cka(parts[f"generic/{first}"], parts[f"generic/{second}"])),
        "unique_cka": _number(lambda: linear_cka(parts[f"unique/{first}"], parts[f"unique/{second}"])),
        "alignment": _number(lambda: alignment(*heads)) if heads else None,
    }


def _number(compute: Callable[[], float]) -> float | None:
    value = _computed(compute)
    return None if value is None or not math.isfinite(value) else value


def _computed(compute: Callable[[], T]) -> T | None:
    """None where a representation does not allow it: collapsed, too few items. No reason to lose a trained run."""
    try:
        return compute()
    except ValueError:
        return None

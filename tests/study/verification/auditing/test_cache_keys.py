from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pytest

from sea_core.cache import cached_arrays
from study.verification.auditing.cache_keys import CachedThing, audit_caches, cached_things, used_kinds

pytestmark = pytest.mark.usefixtures("cache_folder")


def powers(base: int, exponent: int) -> np.ndarray:
    """Cached under half of its inputs."""
    return cached_arrays("powers", {"base": base}, lambda: {"value": np.array([base**exponent])})["value"]


def problems(thing: CachedThing) -> dict[str, str | None]:
    known = [*cached_things(), thing]
    return {f.subject: f.problem for f in audit_caches(known) if f.subject.startswith(thing.kind)}


def test_a_key_that_forgets_an_input_is_named_with_the_input() -> None:
    changes = {"base": partial(powers, 3, 2), "exponent": partial(powers, 2, 3)}
    faults = problems(CachedThing("powers", powers, partial(powers, 2, 2), changes))
    assert faults["powers: base"] is None
    assert faults["powers: exponent"] == (
        "powers with another exponent is answered from a stale entry; add exponent to the cache's inputs"
    )
    unbuilt = problems(CachedThing("powers", powers, partial(powers, 2, 2), changes, is_cheap=False))
    assert unbuilt["powers: exponent"] is not None
    assert "does not cover exponent" in unbuilt["powers: exponent"]


def test_a_parameter_that_the_audit_never_changes_is_named() -> None:
    faults = problems(CachedThing("powers", powers, partial(powers, 2, 2), {"base": partial(powers, 3, 2)}))
    assert faults["powers: exponent"] == (
        "powers is computed from exponent, which is never changed: add the call to "
        "study/verification/auditing/cache_keys.py"
    )


def test_a_cached_thing_without_an_audit_is_named() -> None:
    assert {kind for kind, _ in used_kinds()} == {"neighbours", "feature_bases", "ml-100k", "citeulike-t"}
    without = [thing for thing in cached_things() if thing.kind != "feature_bases"]
    (lacking,) = (finding for finding in audit_caches(without) if finding.subject == "feature_bases")
    assert lacking.problem is not None
    assert "sea_core/layers/features.py caches 'feature_bases', which is not audited" in lacking.problem


def test_the_released_codes_key_over_k_alone_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def only_k(kind: str, inputs: Mapping[str, Any], build: Any) -> Any:
        return cached_arrays(kind, {"k": inputs["k"]}, build)

    monkeypatch.setattr("sea_core.graphs.item_item.cached_arrays", only_k)
    (neighbours,) = (thing for thing in cached_things() if thing.kind == "neighbours")
    faults = {f.subject for f in audit_caches([neighbours]) if f.problem is not None and ":" in f.subject}
    assert faults == {f"neighbours: {name}" for name in ("dataset", "modality", "method", "VERSION")}

"""Shared fixtures; shape annotations of the numerical code are checked while tests run."""

from __future__ import annotations

import os
from pathlib import Path

from jaxtyping import install_import_hook

os.environ["OMP_NUM_THREADS"] = "1"  # tests run side by side, and start processes of their own

# All but the registry, which names the class of models for type checkers alone: the models import it.
MODELS = Path(__file__).parents[1] / "sea_core" / "models"
CHECKED = [
    *(f"sea_core.models.{path.stem}" for path in MODELS.glob("*.py") if path.stem not in ("__init__", "registry")),
    "sea_core.evaluation",
    "sea_core.graphs",
    "sea_core.losses",
    "sea_core.layers",
    "sea_core.training",
    "sea_core.diagnostics",
    "study.analysis.stats",
]
_hook = install_import_hook(CHECKED, "beartype.beartype")

import hypothesis  # noqa: E402
import numpy as np  # noqa: E402 -- nothing of ours may be imported before the hook
import pytest  # noqa: E402
import torch  # noqa: E402

from sea_core.data.dataset import Dataset, Interactions  # noqa: E402

# By default every run tries the same examples, so that nobody's tests fail by luck; SEA_EXPLORE=1 draws new ones
# (`make test-slow` does) and remembers those that failed.
EXPLORE = os.environ.get("SEA_EXPLORE") == "1"
hypothesis.settings.register_profile("fixed", derandomize=True, database=None, deadline=None)
hypothesis.settings.register_profile("explore", derandomize=False, deadline=None, print_blob=True)
hypothesis.settings.load_profile("explore" if EXPLORE else "fixed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Shuffle the tests if SEA_TEST_ORDER is a number: none may depend on those before it."""
    if order := os.environ.get("SEA_TEST_ORDER"):
        np.random.default_rng(int(order)).shuffle(items)  # type: ignore[arg-type]


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Tests run in several processes at once in CI and beside each other on a laptop."""
    torch.set_num_threads(1)


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for one test."""
    monkeypatch.setenv("SEA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real datasets that SEA_TEST_DATA names; no test looks outside the repository unasked."""
    return find_real_data()


def find_real_data() -> Path:
    """As ``shared_data``; skips the test where none is named."""
    named = os.environ.get("SEA_TEST_DATA")
    if not named:
        pytest.skip("SEA_TEST_DATA names no folder of real datasets")
    if not Path(named).is_dir():
        pytest.fail(f"SEA_TEST_DATA names {named}, which is no folder")
    return Path(named).resolve()


def random_dataset(
    *, users: int = 30, items: int = 25, dims: dict[str, int] | None = None, seed: int = 0, per_user: int = 6
) -> Dataset:
    """A small dataset of random choices: every user has training and validation interactions."""
    rng = np.random.default_rng(seed)
    train, valid = [], []
    for user in range(users):
        chosen = rng.permutation(items)[: per_user + 2]
        train += [(user, item) for item in chosen[:per_user]]
        valid += [(user, item) for item in chosen[per_user:]]
    features = {
        name: rng.standard_normal((items, dim)).astype(np.float32)
        for name, dim in (dims or {"image": 12, "text": 10}).items()
    }
    pairs = [Interactions(*np.array(rows, dtype=np.int64).T.copy()) for rows in (train, valid)]
    return Dataset("random", "", users, items, pairs[0], pairs[1], features)

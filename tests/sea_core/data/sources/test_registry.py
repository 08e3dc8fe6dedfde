"""The registry: a source is one file, the project's or a user's."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from sea_core.data.catalogue import dataset_names, load_dataset
from sea_core.data.sources import registry
from sea_core.data.sources.registry import register_source, sources
from sea_core.data.sources.synthetic import Synthetic
from sea_core.errors import UserError

PLUGIN = """
import numpy as np
from sea_core.data.sources.registry import register_source
from sea_core.data.sources.source import Source
from sea_core.data.splits import Contents, from_labels

class Ring(Source):
    name = "ring"
    summary = "users on a ring like the next three items"

    def canonical(self, options):
        return str(int(options or 9))

    def open(self, options):
        size = int(options)
        user = np.repeat(np.arange(size), 3)
        label = np.tile([0, 1, 2], size)
        splits = from_labels(user, (user + label) % size, label, users=size, items=size, source="ring")
        return Contents(splits, lambda wanted: {"place": np.eye(size, dtype=np.float32)})

register_source(Ring())
"""


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", dict(sources()))


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_source_of_ones_own_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "ring.py").write_text(PLUGIN)
    _load(tmp_path / "ring.py")
    dataset = load_dataset("ring:12")
    assert (dataset.name, dataset.users, dataset.modalities) == ("ring:12", 12, ("place",))
    assert load_dataset("ring").source == "ring:9"
    assert "ring" in dataset_names(tmp_path)
    _load(tmp_path / "ring.py")  # a second time, as another program of the same process does


def test_every_file_of_the_package_registers_a_source() -> None:
    files = {path.stem for path in Path(registry.__file__).parent.glob("*.py")}
    assert {type(source).__module__.rpartition(".")[2] for source in sources().values()} == files - {
        "__init__",
        "registry",
        "source",
    }


def test_two_sources_of_one_name_are_refused() -> None:
    class Other(Synthetic):
        pass

    with pytest.raises(UserError, match="two sources are named 'synthetic'"):
        register_source(Other())


@pytest.mark.parametrize("name", ["", "a:b", "a/b", "a b"])
def test_a_name_that_cannot_be_written_is_refused(name: str) -> None:
    other = type("Other", (Synthetic,), {"name": name})
    with pytest.raises(UserError, match="letters, digits and dashes"):
        register_source(other())

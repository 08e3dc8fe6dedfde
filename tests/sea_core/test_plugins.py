"""A user's file, loaded by its path: what it registers, what it changes, and what is said when it fails."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sea_core import plugins
from sea_core.errors import UserError
from sea_core.evaluation.metrics import METRICS
from sea_core.losses.registry import ALIGNMENTS, DISTANCINGS
from sea_core.plugins import Plugin, load_plugin, load_plugins, loaded_plugins, training_plugins

METRIC = """
from sea_core.evaluation.metrics import METRICS

@METRICS.add("hit")
def hit(hits, relevant):
    return hits.any(axis=1) * {factor}
"""


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(plugins, "_loaded", {})
    kept = [(registry, dict(registry)) for registry in (METRICS, ALIGNMENTS, DISTANCINGS)]
    modules = set(sys.modules)
    yield
    for registry, parts in kept:
        registry._parts = parts  # type: ignore[attr-defined]
    for name in set(sys.modules) - modules:
        if name.startswith("sea_plugin_"):
            del sys.modules[name]


def write(folder: Path, text: str, name: str = "mine.py") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    return path


def test_a_plugins_parts_are_there_and_it_is_known_by_name_and_content(tmp_path: Path) -> None:
    path = write(tmp_path, METRIC.format(factor=1.0))
    load_plugins([path])
    np.testing.assert_array_equal(METRICS["hit"](np.array([[True, False]]), np.array([2])), [1.0])
    (plugin,) = loaded_plugins()
    assert (plugin.path, plugin.name, plugin.trains) == (str(path), "mine.py", ("metric hit",))
    assert plugin.content == path.read_bytes()
    assert training_plugins() == {"mine.py": plugin.hash}


def test_a_plugin_that_trains_nothing_is_no_part_of_what_a_study_is(tmp_path: Path) -> None:
    load_plugins([write(tmp_path, "x = 1\n")])
    assert len(loaded_plugins()) == 1
    assert training_plugins() == {}


def test_an_unchanged_file_is_run_once_and_a_changed_one_again(tmp_path: Path) -> None:
    path = write(tmp_path, METRIC.format(factor=1.0))
    load_plugins([path, path])
    first = METRICS["hit"]
    load_plugins([path])
    assert METRICS["hit"] is first
    before = training_plugins()
    write(tmp_path, METRIC.format(factor=2.0))
    load_plugins([path])
    assert METRICS["hit"](np.array([[True]]), np.array([1]))[0] == 2.0
    assert training_plugins() != before


def test_a_plugin_travels_as_text_to_where_its_file_is_not() -> None:
    load_plugin(Plugin("/nowhere/else/mine.py", METRIC.format(factor=3.0).encode()))
    assert METRICS["hit"](np.array([[True]]), np.array([1]))[0] == 3.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\ny = undefined\n", "mine.py fails in line 2: NameError: name 'undefined'"),
        ("def broken(:\n", "mine.py fails in line 1: SyntaxError"),
        ("import no_such_library_here\n", "mine.py fails in line 1: ModuleNotFoundError"),
        ("raise SystemExit(3)\n", "mine.py fails in line 1: SystemExit: 3"),
        ("import os\nos.stat('/no/such')\n", "mine.py fails in line 2: FileNotFoundError"),
        (METRIC.format(factor=1).replace('"hit"', '"recall"'), "two metrics are named 'recall'"),
        (METRIC.format(factor=1).replace('"hit"', '"a b"'), "a metric's name must be letters"),
    ],
)
def test_a_plugin_that_fails_is_one_line_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message.replace("(", r"\(")) as raised:
        load_plugins([write(tmp_path, text)])
    assert "\n" not in str(raised.value)
    assert loaded_plugins() == ()


def test_a_file_that_is_no_plugin_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read the plugin .*no\.py: No such file"):
        load_plugins([tmp_path / "no.py"])
    with pytest.raises(UserError, match=r"a plugin is a Python file \(\.py\)"):
        load_plugins([write(tmp_path, "x = 1", "mine.txt")])


def test_two_plugins_of_one_name_are_refused(tmp_path: Path) -> None:
    load_plugins([write(tmp_path / "a", "x = 1\n")])
    with pytest.raises(UserError, match=r"two plugins are named mine\.py"):
        load_plugins([write(tmp_path / "b", "x = 2\n")])

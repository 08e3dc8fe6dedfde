from __future__ import annotations

from pathlib import Path

import pytest

from tests.study.reporting.bundling.bundles import write_bundle_of


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("plots.lib.pictures.study_pictures", lambda results, out: [])  # drawing takes seconds
    return write_bundle_of(tmp_path)

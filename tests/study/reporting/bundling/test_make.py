from __future__ import annotations

import json
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate

from sea_core.errors import UserError
from study.records.study import load_study
from study.reporting.bundling.contents import CHECKLIST, COMMANDS, DATA, ENVIRONMENT, MANIFEST, METADATA, unpack
from study.reporting.bundling.make import write_bundle


def test_equal_studies_give_equal_bytes(bundle: Path, tmp_path: Path) -> None:
    again = write_bundle(load_study(tmp_path / "tiny-search"), tmp_path / "again" / bundle.name)
    assert again.read_bytes() == bundle.read_bytes()


def test_its_metadata_are_an_ro_crate_of_every_file(bundle: Path, tmp_path: Path) -> None:
    root = unpack(bundle, tmp_path / "out")
    crate = ROCrate(root)
    files = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert {entity.id for entity in crate.data_entities} == files - {METADATA, MANIFEST}
    assert crate.name == "SEA Study: tiny-search"
    report = crate.dereference("results/tiny-search/report.html")
    assert report is not None
    assert report["encodingFormat"] == "text/html"


def test_commands_data_and_environment_are_those_of_the_provenance(tmp_path: Path, bundle: Path) -> None:
    root = tmp_path / "tiny-search"
    call = {"commit": "c" * 40, "dirty": True, "command": "study/run_search.py -d tiny", "time": "2026-01-01T00:00:00"}
    later = {**call, "commit": "d" * 40, "dirty": False, "time": "2026-01-02T00:00:00"}
    known = {"source": "tiny", "data_hash": "d" * 16, "feature_hashes": {"text": "f" * 16}}
    (root / "provenance.json").write_text(json.dumps({**call, **known, "resumed": [later]}))
    made = unpack(write_bundle(load_study(root), bundle), tmp_path / "out")
    assert json.loads((made / ENVIRONMENT).read_text())["commits"] == ["c" * 40 + "-dirty", "d" * 40]
    assert json.loads((made / DATA).read_text())["feature_hashes"] == {"text": "f" * 16}
    commands = (made / COMMANDS).read_text().splitlines()
    assert commands[0] == f"# 2026-01-01T00:00:00, commit {'c' * 40}, with changes that are in no commit"
    assert commands[1::2] == ["study/run_search.py -d tiny"] * 2
    assert "1 of them with changes that are in no commit" in (made / CHECKLIST).read_text()
    for damaged in ("{", "[]", '{"resumed": 5}', '{"resumed": [5]}'):
        (root / "provenance.json").write_text(damaged)
        with pytest.raises(UserError, match=r"provenance\.json is damaged"):
            write_bundle(load_study(root), bundle)


def test_a_bundle_is_a_zip_file(tmp_path: Path, bundle: Path) -> None:
    with pytest.raises(UserError, match=r"a bundle is a zip file, got --out .*\.tar; name it x\.tar\.zip"):
        write_bundle(load_study(tmp_path / "tiny-search"), tmp_path / "x.tar")

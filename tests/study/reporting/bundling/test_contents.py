from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from sea_core.errors import UserError
from study.records.study import load_study
from study.reporting.bundling.contents import MANIFEST, check_finished, count_files, study_in, unpack
from tests.study.reporting.bundling.bundles import repack
from tests.study.results import write_arms, write_search

RECORD = "results/tiny-search/trials/0/record.json"


def test_a_bundle_holds_records_tables_and_report_and_nothing_that_is_large(bundle: Path, tmp_path: Path) -> None:
    root = unpack(bundle, tmp_path / "out")
    study = study_in(root)
    names = {path.relative_to(study).as_posix() for path in study.rglob("*") if path.is_file()}
    assert {"report.html", "tables/overall.csv", "trials/0/record.json", "final/winner/seed-11/test.parquet"} <= names
    assert not any(name.endswith(".safetensors") for name in names)
    assert load_study(study).name == "tiny-search"
    assert count_files(root) == sum(path.is_file() for path in root.rglob("*")) - 1
    assert unpack(root, tmp_path / "unused") == root, "a folder that was unpacked before is checked as it is"


@pytest.mark.parametrize("name", [RECORD, "README.md", "results/tiny-search/tables/overall.csv"])
def test_a_changed_a_missing_and_an_added_file_are_named(bundle: Path, tmp_path: Path, name: str) -> None:
    member, whole = f"{bundle.stem}/{name}", bundle.read_bytes()
    changes = {
        f"{name} is not the file that was bundled": lambda members: members.update({member: members[member] + b" "}),
        f"{name} is missing": lambda members: members.pop(member),
        f"{name}.more is not in {MANIFEST}": lambda members: members.update({f"{member}.more": b""}),
    }
    for number, (message, change) in enumerate(changes.items()):
        bundle.write_bytes(whole)
        with pytest.raises(UserError) as caught:
            unpack(repack(bundle, change), tmp_path / str(number))
        assert message in str(caught.value)


def test_a_damaged_member_is_named(bundle: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        info = archive.getinfo(f"{bundle.stem}/{RECORD}")
    content = bytearray(bundle.read_bytes())
    content[info.header_offset + 30 + len(info.filename) + info.compress_size // 2] ^= 0xFF
    bundle.write_bytes(content)
    with pytest.raises(UserError, match=r"trials/0/record\.json cannot be unpacked"):
        unpack(bundle, tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 half a zip"])
def test_what_is_no_zip_file_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises(UserError, match="is no whole zip file"):
        unpack(path, tmp_path / "out")


def test_a_truncated_bundle_an_absent_one_and_another_zip_are_refused(bundle: Path, tmp_path: Path) -> None:
    bundle.write_bytes(bundle.read_bytes()[:-200])
    with pytest.raises(UserError, match="is no whole zip file"):
        unpack(bundle, tmp_path / "out")
    with pytest.raises(UserError, match=r"no bundle .*absent\.zip"):
        unpack(tmp_path / "absent.zip", tmp_path / "out")
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(UserError, match=f"is no bundle: it has no {MANIFEST}"):
        unpack(other, tmp_path / "other")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match=f"is no bundle: it has no {MANIFEST}"):
        unpack(tmp_path / "folder", tmp_path / "unused")


@pytest.mark.parametrize("line", ["", "abc  README.md", f"{'0' * 64}  ../README.md", f"{'0' * 64} README.md"])
def test_a_manifest_that_is_none_is_named_with_its_line(bundle: Path, tmp_path: Path, line: str) -> None:
    member = f"{bundle.stem}/{MANIFEST}"
    repack(bundle, lambda members: members.update({member: f"{line}\n".encode() + members[member]}))
    with pytest.raises(UserError, match=f"{MANIFEST}, line 1 is no hash and path"):
        unpack(bundle, tmp_path / "out")


def test_an_unfinished_study_is_said_to_be_unfinished(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    check_finished(load_study(root))
    (root / "final" / "finalists" / "3" / "seed-7").mkdir(parents=True)
    with pytest.raises(UserError, match=r"not finished: 1 run begun without a record.*final/finalists/3/seed-7"):
        check_finished(load_study(root))


def test_a_search_without_a_winner_is_unfinished_and_arms_alone_are_finished(tmp_path: Path) -> None:
    root = write_search(tmp_path, seeds=0)
    with pytest.raises(UserError, match="not finished: 1 trials, no winner and no arm"):
        check_finished(load_study(root))
    check_finished(load_study(write_arms(tmp_path / "arms", {"full": 0.0})))

"""The program that joins studies run separately."""

from pathlib import Path

import pytest

from sea_core.errors import UserError
from study.make_tables import main
from tests.study.results import write_search


def test_one_study_gets_its_tables_in_its_own_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_search(tmp_path)
    assert main([str(root)]) == 0
    assert {path.name for path in (root / "tables").glob("*.md")} >= {"overall.md", "best-configs.md", "budgets.md"}
    assert f" in {root / 'tables'}" in capsys.readouterr().out


def test_two_studies_are_joined_side_by_side(tmp_path: Path) -> None:
    folders = [write_search(tmp_path, name=name, dataset=name) for name in ("baby", "other")]
    assert main([*map(str, folders), "--out", str(tmp_path / "joint")]) == 0
    header = (tmp_path / "joint" / "overall.md").read_text().splitlines()[2]
    assert "baby Recall@20" in header
    assert "other Recall@20" in header


def test_a_folder_that_is_no_study_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"{tmp_path}/none"):
        main([str(tmp_path / "none")])


def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=f"cannot write in {tmp_path}/file"):
        main([str(root), "--out", str(tmp_path / "file")])

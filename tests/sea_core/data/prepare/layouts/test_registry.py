"""A layout is one file: the project's, or a user's own."""

from pathlib import Path

import pytest

from sea_core.data.prepare.layouts import registry
from sea_core.data.prepare.layouts.csv_tables import CsvTables
from sea_core.data.prepare.layouts.registry import layouts, register_layout
from sea_core.errors import UserError
from tests.sea_core.data.prepare.raw_files import manifest, run_prepare, shop, write_csv


def test_every_file_registers_a_layout() -> None:
    files = {path.stem for path in Path(registry.__file__).parent.glob("*.py")} - {"__init__", "registry"}
    assert {layout.__module__.rpartition(".")[2] for layout in layouts().values()} == files
    assert set(layouts()) == {"amazon", "citeulike", "csv", "mmrec", "recbole"}


def test_a_layout_of_ones_own_is_prepared_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", dict(layouts()))

    @register_layout
    class Till(CsvTables):
        """Tables of a till, of which there is nothing to test on first."""

        name = "till"

    write_csv(tmp_path / "raw", shop())
    assert run_prepare("till", tmp_path / "raw", tmp_path / "out", "--k-core", 2, "--dims", 2) == 0
    assert manifest(tmp_path / "out")["layout"] == "till"


def test_an_unknown_layout_gets_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown SOURCE 'amazn'; did you mean 'amazon'"):
        run_prepare("amazn", tmp_path, tmp_path / "out")

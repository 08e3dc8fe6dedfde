"""Yesterday's results still load: a real study of every schema version, as it was written."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from sea_core import receipts, run_folder
from study import make_tables, status
from study.records import provenance, spec, summary
from study.records.study import load_study
from study.searching import warm_start
from study.searching.space import load_space
from study.selection import winner

OLD = Path(__file__).parent / "old_studies"
VERSIONS = sorted(path.name for path in OLD.iterdir() if path.is_dir())


@pytest.fixture(params=VERSIONS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of an old study, its database made from SQL."""
    root = Path(shutil.copytree(OLD / request.param, tmp_path / request.param))
    script = root / "study.sql"
    database = sqlite3.connect(root / "study.db")
    database.executescript(script.read_text(encoding="utf-8"))
    database.close()
    script.unlink()
    return root


def test_every_schema_version_has_its_study() -> None:
    newest = max(part.SCHEMA_VERSION for part in (run_folder, receipts, spec, provenance, summary, winner))
    assert [f"v{number}" for number in range(1, newest + 1)] == VERSIONS, (
        "a schema version was raised: add a study of it (tests/study/old_studies/README.md)"
    )


def test_an_old_study_is_read_whole(old: Path) -> None:
    study = load_study(old)
    assert [trial.state for trial in study.trials] == ["complete", "complete"]
    assert len(study.winner) == 2
    assert {run.arm for run in study.ablations} == {"full", "no-both"}
    assert {each.baseline for each in study.baselines} == {"popularity", "item-knn"}
    for record in [*study.trials, *study.winner, *study.ablations]:
        assert record.config.latent_dim == 4
        assert record.history is not None
        assert record.history["recall@20"].max() == record.record["validation"]["recall@20"]
        assert record.validation is not None
        assert record.validation.means() == record.record["validation"]
    for run in [*study.winner, *study.ablations, *study.baselines]:
        assert run.test is not None
        assert 0 < run.test.means()["recall@20"] <= 1


@pytest.mark.slow
def test_tables_are_made_of_an_old_study(old: Path, tmp_path: Path) -> None:
    assert make_tables.main([str(old), "--out", str(tmp_path / "tables")]) == 0
    overall = (tmp_path / "tables/overall.csv").read_text()
    assert "popularity" in overall.lower()
    assert (tmp_path / "tables/ablation.csv").exists()


def test_status_and_warm_start_read_an_old_study(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status.main([str(old)]) == 0
    printed = capsys.readouterr().out
    assert "2 trials done: best 0." in printed
    assert "2 winner runs done" in printed
    assert warm_start.warm_start([old], load_space("default")).trials[0].keys() >= {"temperature", "split_ratio"}

"""Results from before a config field existed go on as what they were: runs with that field's default."""

import hashlib
import json
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml

from ablations import run_ablations
from sea_core.errors import run_program
from sea_core.files import write_json
from study import run_search
from study.records.spec import StudySpec

pytestmark = pytest.mark.usefixtures("cache_folder")


@pytest.fixture(autouse=True)
def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plots.make_figures.make_figures", lambda folder, **how: [])
    monkeypatch.setattr("plots.lib.pictures.study_pictures", lambda study, out=None: [])


DATA = "synthetic:users=40,items=30,interactions=8,dims=8/6"
SMALL = ["latent_dim=4", "item_mlp_hidden=6", "align_hidden=4", "align_out=4", "distance_dim=4", "club_steps=2"]
LATER_FIELD = "neighbour_search"


def forget(record: Path) -> None:
    """Make a record what a version without the field would have written."""
    content: dict[str, Any] = json.loads(record.read_text())
    del content["config"][LATER_FIELD]
    old_hash = hashlib.sha256(json.dumps(content["config"]).encode()).hexdigest()[:16]
    write_json(record, content | {"config_hash": old_hash})
    receipt = record.parent / "receipt.json"
    if receipt.exists():
        receipt.write_text(json.dumps([each | {"subject_hash": old_hash} for each in json.loads(receipt.read_text())]))


def test_an_ablation_goes_on_beside_older_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def ablate(*arms: str) -> int:
        options = ["-d", DATA, "--out", str(tmp_path), "--study-name", "a", "--fresh-seeds", "1", "--quiet"]
        options += ["--set", *SMALL, "epochs=2", "--arms", *arms]
        return run_program(lambda: run_ablations.main(options))

    assert ablate("full") == 0, capsys.readouterr().err
    (record,) = tmp_path.glob("a/ablations/frozen/full/*/record.json")
    forget(record)
    before = record.read_bytes()
    assert ablate("full", "no-both") == 0, capsys.readouterr().err
    assert record.read_bytes() == before, "the older run was not made again"
    assert list(tmp_path.glob("a/ablations/frozen/no-both/*/record.json"))


def test_a_study_goes_on_that_was_begun_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def search(trials: int, *more: str) -> int:
        options = ["-d", DATA, "--out", str(tmp_path), "--study-name", "s", "--n-trials", str(trials), "--quiet"]
        options += ["--no-finalize", "--epochs", "2", "--set", *SMALL, *more]
        return run_program(lambda: run_search.main(options))

    assert search(1) == 0
    root = tmp_path / "s"
    identity = yaml.safe_load((root / "config.yaml").read_text())
    del identity["config"][LATER_FIELD]
    (root / "config.yaml").write_text(yaml.safe_dump(identity, sort_keys=False))
    mark = StudySpec.from_mapping(identity, source="old").fingerprint()
    study = optuna.load_study(study_name="s", storage=f"sqlite:///{root}/study.db")
    study.set_user_attr("identity", mark)
    forget(root / "trials/0/record.json")
    before = (root / "trials/0/record.json").read_bytes()
    assert search(2) == 0, capsys.readouterr().err
    assert (root / "trials/0/record.json").read_bytes() == before
    assert (root / "trials/1/record.json").exists()
    capsys.readouterr()
    assert search(2, f"{LATER_FIELD}=nndescent") == 2
    assert f"config.{LATER_FIELD}: was exact, now nndescent" in capsys.readouterr().err

"""One command for the joint table: every model at one budget, resumable because each of its programs is."""

from __future__ import annotations

from pathlib import Path

import pytest

from ablations import run_ablations
from benchmarks import make_joint
from sea_core.models.registry import model_names
from study.planning.search_options import make_parser
from study.records.study import load_study

DATA = "synthetic:users=40,items=30,interactions=8,dims=8/6"


def planned(tmp_path: Path, *arguments: str) -> list[list[str]]:
    options = make_joint.make_parser().parse_args(["-d", "a", "-d", "b", "--out", str(tmp_path), *arguments])
    return [*make_joint.commands("a", options), *make_joint.commands("b", options)]


def test_every_trained_model_has_the_same_budget_seeds_and_cap(tmp_path: Path) -> None:
    searches = [make_parser().given(c[1:]) for c in planned(tmp_path, "--budget", "7x") if "run_search" in c[0]]
    models = [given["model"] for given in searches]
    assert sorted(models) == sorted([*set(model_names()) - {"popularity", "item-knn"}] * 2)
    own = ("model", "study_name", "dataset")
    shared = [{key: value for key, value in given.items() if key not in own} for given in searches]
    assert all(each == shared[0] for each in shared)
    assert (shared[0]["budget"], shared[0]["epochs"], shared[0]["final_epochs"]) == ("7x", 1000, 1000)
    names = [given["study_name"] for given in searches]
    assert len(set(names)) == len(names)


def test_the_suites_ablate_studies_that_the_searches_made(tmp_path: Path) -> None:
    commands = planned(tmp_path)
    made = {make_parser().given(c[1:])["study_name"] for c in commands if "run_search" in c[0]}
    suites = [run_ablations.make_parser().given(c[1:]) for c in commands if "run_ablations" in c[0]]
    assert len(suites) == 4
    assert {given["from_study"][0] for given in suites} <= made
    assert {given["suite"] for given in suites} == {"generalisation"}


def test_a_plan_names_every_command_and_runs_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert make_joint.main(["-d", "ml-100k", "--out", str(tmp_path / "out"), "--plan"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 11
    assert lines[0].startswith("1/11 study/run_search.py --model sea --study-name ml-100k-sea -d ml-100k ")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_program_that_fails_ends_it_with_its_code(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert make_joint.main(["-d", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]) == 2
    assert "2/11" not in capfd.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("cache_folder")
def test_it_leaves_joint_tables_and_does_nothing_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_joint, "MODELS", ("sea", "bpr"))
    monkeypatch.setattr(make_joint, "BACKBONES", ("vbpr+sea",))
    small = ["--budget", "1x", "--epochs", "2", "--fresh-seeds", "2", "--seeds", "2", "--out", str(tmp_path)]
    assert make_joint.main(["-d", DATA, *small]) == 0
    table = (tmp_path / "joint" / "tables" / "models.csv").read_text()
    assert all(title in table for title in ("SEA", "BPR", "VBPR + SEA"))
    assert (tmp_path / "joint" / "report.html").exists()
    records = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("record.json")}
    study = load_study(tmp_path / make_joint.study_name(DATA, "vbpr+sea"))
    assert {run.arm for run in study.ablations} == {"full", "no-club", "no-solosim", "no-both"}
    assert make_joint.main(["-d", DATA, *small]) == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("record.json")} == records

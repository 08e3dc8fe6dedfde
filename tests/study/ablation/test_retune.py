"""A search of its own for every arm: what is searched, with which budget, and that it goes on where it stopped."""

import json
import re
from pathlib import Path

import pytest

from ablations.run_ablations import main
from sea_core.config import Config
from sea_core.errors import UserError
from study.ablation.arms import load_arms
from study.ablation.retune import searched_parameters
from study.records.study import load_study
from study.searching.space import load_space
from tests.study.results import write_search

BOTH = ("image", "text")
DATASET = "synthetic:users=30,items=30,interactions=8,dims=6/5"


def left_out(name: str) -> set[str]:
    arm, space = load_arms([name])[-1], load_space("default")
    return set(space) - set(searched_parameters(space, arm, arm.apply(Config(), BOTH)))


@pytest.mark.parametrize(
    ("arm", "dead"),
    [
        ("no-club", {"distance_weight"}),
        ("no-solosim", {"alignment_weight", "temperature"}),
        ("no-both", {"alignment_weight", "temperature", "distance_weight", "split_ratio"}),
        ("zero-club", {"distance_weight"}),
        ("no-item-graph", {"item_graph_layers", "knn_k", "image_weight"}),
        ("no-user-item-graph", {"gnn_layers"}),
        ("text-only", {"image_weight", "alignment_weight", "temperature"}),
        ("negative-l2", set()),
    ],
)
def test_an_arm_does_not_search_what_it_fixes_or_nothing_reads(arm: str, dead: set[str]) -> None:
    assert left_out(arm) == dead


def test_retuning_needs_a_study(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="needs --from-study"):
        main(["-d", DATASET, "--mode", "retuned", "--out", str(tmp_path)])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_every_arm_gets_the_budget_of_the_study_and_a_second_call_trains_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from study.run_search import main as run_search

    out = ["--out", str(tmp_path), "--quiet", "--threads", "1"]
    small = ["--set", "latent_dim=4", "item_mlp_hidden=4", "club_steps=1", "knn_k=3"]
    budget = ["--n-trials", "3", "--epochs", "2", "--final-epochs", "2", "--finalists", "2", "--fresh-seeds", "2"]
    assert run_search(["-d", DATASET, "--study-name", "s", "--no-ablations", *budget, *small, *out]) == 0
    command = ["--from-study", "s", "--mode", "both", "--arms", "no-club", "--fresh-seeds", "3", *out]
    assert main([*command, "--dry-run"]) == 0
    assert re.search(r"time: 4 runs at most .*, re-tuning 1 arm about .* \(", capsys.readouterr().out)
    assert main(command) == 0
    assert main([*command, "--dry-run"]) == 0
    assert "time:" not in capsys.readouterr().out.split("seeds")[-1]

    study = load_study(tmp_path / "s")
    search = load_study(tmp_path / "s" / "ablations" / "retuned" / "no-club" / "search")
    assert len(search.trials) == len(study.trials) == 3
    assert {trial.config.epochs for trial in search.trials} == {2}
    assert {trial.config.distancing for trial in search.trials} == {"none"}
    assert {run.seed for run in search.winner} == {run.seed for run in study.winner}
    assert not search.baselines
    runs = {(run.mode, run.arm, run.seed): run for run in study.ablations}
    assert len(runs) == 2 * 2 * 3
    selected = json.loads(search.folder.selection.read_text())["config_hash"]
    assert {run.config_hash for key, run in runs.items() if key[:2] == ("retuned", "no-club")} == {selected}
    for name in ("ablation", "ablation-retuned", "budgets"):
        assert (tmp_path / "s" / "tables" / f"{name}.md").exists()

    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "s").rglob("record.json")}
    assert main(command) == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_study_without_its_selection_is_refused(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    (root / "config.yaml").write_text("dataset: tiny\n")
    with pytest.raises(UserError, match="does not say which dataset"):
        main(["--from-study", root.name, "--mode", "retuned", "--out", str(tmp_path)])

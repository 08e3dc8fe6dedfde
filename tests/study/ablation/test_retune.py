"""A search of its own for every arm: what is searched, with which budget, and that it goes on where it stopped."""

import json
import re
import shutil
from pathlib import Path

import pytest

from ablations.run_ablations import main
from sea_core.config import Config
from sea_core.errors import UserError
from study.ablation.arms import load_arms
from study.ablation.retune import searched_parameters
from study.records.question import read_question
from study.records.study import load_study
from study.searching.space import load_space
from tests.study.results import write_search

BOTH = ("image", "text")
DATASET = "synthetic:users=30,items=30,interactions=8,dims=6/5"


def left_out(name: str) -> set[str]:
    arm, space = load_arms([name])[-1], load_space("default")
    return set(space) - set(searched_parameters(space, arm, arm.apply(Config(), BOTH)))


def searched(out: Path, *, finalists: int) -> list[str]:
    """Make a study ``s`` of three trials and two fresh seeds; the options with which its arms are run beside it."""
    from study.run_search import main as run_search

    options = ["--out", str(out), "--quiet", "--threads", "1"]
    small = ["--set", "latent_dim=4", "item_mlp_hidden=4", "club_steps=1", "knn_k=3"]
    budget = ["--n-trials", "3", "--epochs", "2", "--final-epochs", "2", "--finalists", str(finalists)]
    command = ["-d", DATASET, "--study-name", "s", "--no-ablations", "--fresh-seeds", "2", *budget, *small, *options]
    assert run_search(command) == 0
    return options


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
    out = searched(tmp_path, finalists=2)
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


@pytest.mark.slow
def test_three_searches_of_each_arm_are_independent_and_go_on_where_they_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = searched(tmp_path, finalists=1)
    command = ["--from-study", "s", "--mode", "retuned", "--arms", "no-club", "--fresh-seeds", "2", *out]
    assert main(command) == 0
    before = read_question(tmp_path / "s" / "question.json")
    assert before is not None
    assert before.searches == 1
    assert main([*command, "--searches", "3", "--dry-run"]) == 0
    dry = capsys.readouterr().out
    assert "search 2: 3 trials over" in dry
    assert "re-tuning 2 arms in 4 searches about" in dry
    assert main([*command, "--searches", "3"]) == 0
    asked = read_question(tmp_path / "s" / "question.json")
    assert asked is not None
    assert (asked.searches, asked.changed) == (3, 1), "one search of the arm was known already"

    study = load_study(tmp_path / "s")
    searches = study.arm_searches
    assert list(searches) == ["no-club", "full, search 2", "no-club, search 2", "full, search 3", "no-club, search 3"]
    assert {len(search.trials) for search in searches.values()} == {3}
    seeds = [study.seed, searches["full, search 2"].seed, searches["full, search 3"].seed]
    assert len(set(seeds)) == 3
    assert searches["no-club, search 3"].seed == seeds[2]
    # What they choose is trained on the same fresh seeds, and is told what the full model's search found.
    assert {run.seed for search in searches.values() for run in search.winner} == {run.seed for run in study.winner}
    at_winner = next(
        trial.params
        for trial in searches["full, search 2"].trials
        if trial.number == searches["full, search 2"].selection.winner
    )
    arms_search = searches["no-club, search 2"]
    assert {name: at_winner[name] for name in arms_search.spec.space} in list(arms_search.spec.first)
    assert len(study.repeated) == 2 * 2 * 2
    table = (tmp_path / "s" / "tables" / "statistics.csv").read_text()
    assert "3 searches an arm" in table

    # A search that was killed goes on; nothing else is trained again.
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "s").rglob("record.json")}
    run_folder = tmp_path / "s" / "ablations" / "searches" / "3" / "no-club" / f"seed-{study.winner[0].seed}"
    shutil.rmtree(run_folder)
    assert main(command) == 0, "the number of searches is remembered"
    assert (run_folder / "record.json").exists()
    assert {path for path in times if path.stat().st_mtime_ns != times[path]} == {run_folder / "record.json"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--searches", "3"], "--searches repeats the searches of re-tuned arms; add --mode retuned or both"),
        (["--searches", "0", "--mode", "both"], "--searches must be at least 1, got 0"),
    ],
)
def test_searches_that_make_no_sense_are_refused(arguments: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        main(["--from-study", "s", "--out", str(tmp_path), *arguments])


def test_a_study_without_its_selection_is_refused(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    (root / "config.yaml").write_text("dataset: tiny\n")
    with pytest.raises(UserError, match="does not say which dataset"):
        main(["--from-study", root.name, "--mode", "retuned", "--out", str(tmp_path)])

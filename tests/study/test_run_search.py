import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from sea_core import holdout
from sea_core.config import Config
from sea_core.config_files import build_config
from sea_core.data.dataset import Dataset, Interactions
from sea_core.errors import UserError, run_program
from sea_core.interrupts import StopRequest
from study import replay, run_search
from study.planning.requests import SearchRequest
from study.planning.search_options import make_parser, search_requests
from study.planning.session import driving
from study.planning.study_plan import plan_study
from study.records.study import load_study
from study.running.events import Note, RunEvent
from study.searching.methods import GRID, PRUNERS, SAMPLERS

DATA = "synthetic:users=40,items=30,interactions=8,dims=8/6"
NAME = "synthetic-users-40-items-30-interactions-8-dims-8-6-search"
SMALL = ["latent_dim=4", "item_mlp_hidden=6", "align_hidden=4", "align_out=4", "distance_dim=4", "club_steps=2"]
SMALL += ["batch_size=256", "epochs=3"]
BASICS = ["--threads", "1", "--quiet", "--set", *SMALL]


@pytest.fixture
def run(tmp_path: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The program on tiny data, without figures, which have their own tests."""
    monkeypatch.setattr("plots.lib.pictures.study_pictures", lambda study, out: [])
    monkeypatch.setattr("plots.lib.pictures.joint_pictures", lambda studies, out: [])

    def run(*arguments: str, data: str = DATA) -> int:
        given = ["-d", data] if data else []
        return run_program(lambda: run_search.main([*given, "--out", str(tmp_path / "out"), *BASICS, *arguments]))

    return run


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*")) if root.exists() else []


@pytest.mark.slow
def test_the_base_configuration_is_the_first_trial(run: Callable[..., int], tmp_path: Path) -> None:
    settings = ["image_weight=0.25", "gnn_layers=3"]  # fixed, so not searched
    assert run("--n-trials", "4", "--no-finalize", "--set", *settings, "--preset", "released") == 0
    trials = load_study(tmp_path / "out" / NAME).trials
    base = plan_study(search_requests(make_parser().given(["--set", *settings]))[0]).base
    assert trials[0].params == {name: getattr(base, name) for name in trials[0].params}
    assert trials[0].config.club_fit_pairs == "cross_modal"
    assert [trial.params["learning_rate"] for trial in trials[:3]] == [1e-4, 1e-3, 1e-3]
    assert trials[2].params["alignment_weight"] == 0.1
    assert trials[3].params["learning_rate"] not in (1e-4, 1e-3)
    assert all(trial.config.image_weight == 0.25 for trial in trials)


@pytest.mark.slow
def test_finals_and_arms_may_learn_for_longer_than_trials(run: Callable[..., int], tmp_path: Path) -> None:
    few = ("--n-trials", "3", "--finalists", "2", "--fresh-seeds", "1")
    assert run(*few, "--epochs", "2", "--final-epochs", "4") == 0
    study = load_study(tmp_path / "out" / NAME)
    assert {trial.config.epochs for trial in study.trials} == {2}
    assert {run.config.epochs for run in (*study.finalists, *study.winner, *study.ablations)} == {4}
    assert {run.record["epochs"] for run in study.winner} == {4}
    stored = {run.folder: run.record["weights_hash"] for run in study.winner}
    assert run(*few, "--epochs", "2") == 0, "the study goes on with its own cap"
    assert {run.folder: run.record["weights_hash"] for run in load_study(study.folder.root).winner} == stored
    assert run(*few, "--epochs", "2", "--final-epochs", "5") == 0
    again = load_study(study.folder.root)
    assert {run.record["epochs"] for run in (*again.winner, *again.ablations)} == {5}
    assert run(*few, "--epochs", "2") == 0
    assert {run.config.epochs for run in load_study(study.folder.root).winner} == {5}


def write_rates(folder: Path, base: float) -> tuple[str, ...]:
    """A space in which one learning rate learns and the others do not, and a base configuration with one of them."""
    (folder / "rates.yaml").write_text("learning_rate: {choices: [1.0e-9, 2.0e-9, 3.0e-9, 0.01]}\n")
    (folder / "base.yaml").write_text(f"learning_rate: {base}\n")
    return "--space", str(folder / "rates.yaml"), "--config", str(folder / "base.yaml")


@pytest.mark.slow
def test_the_base_configuration_is_trained_and_opened_beside_a_winner_that_beat_it(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ("--n-trials", "9", "--finalists", "2", "--fresh-seeds", "2", "--no-ablations", "--epochs", "20")
    assert run(*few, "--final-epochs", "20", "--sampler", "random", *write_rates(tmp_path, 1e-9)) == 0
    printed = capsys.readouterr().out
    study = load_study(tmp_path / "out" / NAME)
    selection = read(study.folder.selection)
    assert {entry["number"] for entry in selection["finalists"]} > {0}, "it competes, however bad it was as a trial"
    assert study.winner[0].config.learning_rate == 0.01
    assert {run.config for run in study.default} == {study.trials[0].config}
    assert [run.seed for run in study.default] == [run.seed for run in study.winner]
    assert all(len(read(run.folder / "receipt.json")) == 1 for run in study.default)
    tuned, default = ([r.record["validation"]["recall@20"] for r in runs] for runs in (study.winner, study.default))
    assert selection["tuning"]["difference"] == pytest.approx(sum(tuned) / 2 - sum(default) / 2)
    assert f"tuning is above it, by {selection['tuning']['difference']:+.4f}" in printed

    with (study.folder.tables / "overall.csv").open(newline="") as file:
        means = {row["method"]: float(row["mean"]) for row in csv.DictReader(file) if row["metric"] == "recall@20"}
    test = [run.test.means()["recall@20"] for run in study.default if run.test is not None]
    assert means["SEA (default)"] == pytest.approx(sum(test) / 2)
    assert "Tuning %" in (study.folder.tables / "overall.md").read_text()
    with (study.folder.tables / "statistics.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["family"] == "tuning" and row["metric"] == "recall@20"]
    assert [float(row["difference"]) for row in rows] == [pytest.approx(means["SEA (tuned)"] - means["SEA (default)"])]


@pytest.mark.slow
def test_the_base_configuration_is_kept_where_no_finalist_beats_it(run: Callable[..., int], tmp_path: Path) -> None:
    few = ("--n-trials", "9", "--finalists", "2", "--fresh-seeds", "2", "--no-ablations", "--epochs", "20")
    assert run(*few, "--final-epochs", "20", "--sampler", "random", *write_rates(tmp_path, 0.01)) == 0
    study = load_study(tmp_path / "out" / NAME)
    selection = read(study.folder.selection)
    assert selection["winner"] == selection["default"] == 0
    assert selection["rule"].startswith("the base configuration, which is kept")
    assert study.default == []
    with (study.folder.tables / "overall.csv").open(newline="") as file:
        assert "SEA" in {row["method"] for row in csv.DictReader(file)}


def test_a_search_says_which_of_its_limits_ended_it(tmp_path: Path, cache_folder: Path) -> None:
    asked = {"dataset": DATA, "out": tmp_path, "settings": {"epochs": 3, "latent_dim": 4}, "pruner": "none"}
    for limits, reason in (
        ({"budget": "7epochs"}, "6 of 7 epochs are spent, and another run might go beyond"),
        ({"budget": "9x", "n_trials": 3}, "3 trials were begun"),
    ):
        request = SearchRequest(**asked, **limits)
        message: list[RunEvent] = []
        with driving(plan_study(request), request.resources, emit=message.append, stop=StopRequest()) as session:
            session.search()
        assert [event.line for event in message if isinstance(event, Note) and "ends" in event.line] == [
            f"the search ends: {reason}"
        ]


def test_a_search_that_pauses_trials_says_which_of_its_limits_ended_it(tmp_path: Path, cache_folder: Path) -> None:
    asked = {"dataset": DATA, "out": tmp_path, "settings": {"epochs": 3, "latent_dim": 4}, "rungs": (1,)}
    for limits, reason in (
        ({"budget": "2x"}, "2 of 2 whole runs are spent"),
        ({"budget": "9x", "n_trials": 6}, "6 trials were begun"),
    ):
        request = SearchRequest(**asked, **limits)
        message: list[RunEvent] = []
        with driving(plan_study(request), request.resources, emit=message.append, stop=StopRequest()) as session:
            session.search()
        assert [event.line for event in message if isinstance(event, Note) and "ends" in event.line] == [
            f"the search ends: {reason}"
        ]


@pytest.mark.slow
def test_a_whole_run_is_one_of_the_base_configuration_to_its_end_even_where_trials_are_short(
    run: Callable[..., int], tmp_path: Path
) -> None:
    short = ("--no-finalize", "--epochs", "1")  # of at most three
    root = tmp_path / "out" / NAME
    assert run(*short, "--budget", "3x", "--pruner", "none") == 0
    assert read(root / "whole-run/record.json")["epochs"] == 3
    # Nine epochs, three of which told how long a run is.
    assert len(load_study(root).trials) == 6
    assert run(*short, "--budget", "3x", "--study-name", "paused") == 0
    assert len(load_study(tmp_path / "out/paused").trials) == 6


@pytest.mark.slow
def test_a_budget_ends_a_search(run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ("--no-finalize", "--pruner", "none")
    assert run(*common, "--budget", "12epochs") == 0
    study = load_study(tmp_path / "out" / NAME)
    assert [trial.record["epochs"] for trial in study.trials] == [3, 3, 3, 3]
    assert run(*common, "--budget", "5x") == 0
    assert len(load_study(study.folder.root).trials) == 5
    assert run(*common, "--budget", "9x", "--n-trials", "6") == 0
    assert len(load_study(study.folder.root).trials) == 6
    assert run(*common, "--budget", "9x", "--dry-run") == 0
    assert "9 trials" in capsys.readouterr().out


def test_a_whole_study_leaves_what_the_docs_promise(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--n-trials", "4", "--finalists", "2", "--fresh-seeds", "2") == 0
    root = tmp_path / "out" / NAME
    printed = capsys.readouterr().out.splitlines()[-1]
    assert printed == f"everything lies in {root}: report.html, summary.json, tables/, trials/", (
        "figures are not drawn here"
    )
    study, summary = load_study(root), read(root / "summary.json")
    assert set(summary) == {
        "schema_version",
        "dataset",
        "study",
        "trials",
        "best",
        "final",
        "default",
        "baselines",
        "seconds",
        "estimate",
    }
    assert summary["estimate"]["error"] == pytest.approx(summary["seconds"] / summary["estimate"]["seconds"] - 1)
    assert summary["trials"] == {"complete": 4, "pruned": 0, "failed": 0}
    best = max(study.trials, key=lambda trial: trial.value or 0)
    assert summary["best"]["number"] == best.number
    assert summary["best"]["params"] == best.params
    assert summary["best"]["validation"]["recall@20"] == best.value
    assert best.validation is not None
    assert best.validation.means()["recall@20"] == best.value, "means are computed from per-user metrics"

    selection = read(root / "final/selection.json")
    means = {entry["number"]: sum(entry["values"]) / 2 for entry in selection["finalists"]}
    assert selection["winner"] == max(means, key=lambda number: means[number])
    assert summary["final"]["number"] == selection["winner"]
    assert {run.config for run in study.winner} == {study.trials[selection["winner"]].config}
    used = {
        "search": {999},
        "finalists": {run.seed for run in study.finalists},
        "winner": {r.seed for r in study.winner},
    }
    assert sum(len(seeds) for seeds in used.values()) == len(set.union(*used.values())) == 5, "no seed serves twice"

    for run_record in study.winner:
        assert run_record.test is not None
        assert len(read(run_record.folder / "receipt.json")) == 1
    for run_record in [*study.trials, *study.finalists]:
        assert run_record.test is None
        assert not (run_record.folder / "receipt.json").exists()
    tests = [run.test.means()["recall@20"] for run in study.winner if run.test is not None]
    assert summary["final"]["test"]["recall@20"]["mean"] == pytest.approx(sum(tests) / 2)
    shrinkage = selection["shrinkage"]
    assert shrinkage["search_value"] == study.trials[selection["winner"]].value
    fresh = [run.record["validation"]["recall@20"] for run in study.winner]
    assert shrinkage["difference"] == pytest.approx(shrinkage["search_value"] - sum(fresh) / 2)
    assert set(summary["baselines"]) == {"popularity", "item-knn"}
    assert {(run.arm, run.seed) for run in study.ablations} == {
        (arm, seed) for arm in ("full", "no-club", "no-solosim", "no-both") for seed in used["winner"]
    }

    assert "Do CLUB and Solosim matter on" in (root / "report.html").read_text()
    with (root / "tables/trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["value"]) for row in rows] == [trial.value for trial in study.trials]
    assert list(rows[0])[:3] == ["number", "state", "value"]
    provenance = read(root / "provenance.json")
    assert provenance.keys() >= {"commit", "dirty", "data_hash", "split_hash", "versions", "machine", "command"}


@pytest.mark.slow
def test_the_same_command_again_changes_no_result(run: Callable[..., int], tmp_path: Path) -> None:
    arguments = ("--n-trials", "2", "--finalists", "1", "--fresh-seeds", "1", "--no-ablations")
    root = tmp_path / "out" / NAME
    clocked = {"summary.json", "provenance.json", "report.html", "study.db", "driver.lock"}
    contents = []
    for _ in range(2):
        assert run(*arguments) == 0
        kept = [path for path in root.rglob("*") if path.is_file() and path.name not in clocked]
        contents.append({str(path.relative_to(root)): path.read_bytes() for path in kept})
    assert contents[0] == contents[1]
    assert len(read(root / "provenance.json")["resumed"]) == 1


@pytest.mark.slow
def test_two_seeds_search_differently_and_equal_commands_give_equal_bytes(
    run: Callable[..., int], tmp_path: Path
) -> None:
    tables = {}
    for name, seed in (("one", "1"), ("two", "1"), ("other", "2")):
        assert run("--n-trials", "2", "--no-finalize", "--study-name", name, "--seed", seed) == 0
        tables[name] = (tmp_path / "out" / name / "tables/trials.csv").read_bytes()
        assert read(tmp_path / "out" / name / "summary.json")["final"] is None
    assert tables["one"] == tables["two"] != tables["other"]


@pytest.mark.slow
def test_searching_on_with_more_trials_may_change_the_winner_and_keeps_the_receipts(
    run: Callable[..., int], tmp_path: Path
) -> None:
    space = tmp_path / "space.yaml"
    space.write_text("learning_rate: {choices: [1e-6, 0.03]}\n")
    arguments = ("--finalists", "1", "--fresh-seeds", "1", "--sampler", "grid", "--space", str(space))
    root, winners = tmp_path / "out" / NAME, []
    for total in ("1", "2"):
        assert run("--n-trials", total, *arguments) == 0
        study = load_study(root)
        winners.append(read(root / "final/selection.json")["winner"])
        assert {run.config for run in [*study.winner, *(r for r in study.ablations if r.arm == "full")]} == {
            study.trials[winners[-1]].config
        }
    assert winners == [0, 1]
    receipts = [path for path in root.glob("final/**/seed-*/receipt.json") if "ablations" not in str(path)]
    of_default = [path for path in receipts if path.parent.parent.name == "default"]
    assert sum(len(read(path)) for path in receipts if path not in of_default) == 2
    assert [len(read(path)) for path in of_default] == [1], "the same base configuration stands beside both winners"


@pytest.mark.slow
def test_the_test_split_does_not_touch_search_and_selection(
    run: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("--n-trials", "3", "--finalists", "2", "--fresh-seeds", "1", "--no-ablations")
    assert run(*arguments, "--study-name", "as-is") == 0
    real = holdout._load_test_rows

    def permuted(dataset: Dataset) -> Interactions:
        rows = real(dataset)
        return Interactions(
            rows.user, rows.item[torch.randperm(len(rows.item), generator=torch.manual_seed(0)).numpy()]
        )

    monkeypatch.setattr("sea_core.holdout._load_test_rows", permuted)
    assert run(*arguments, "--study-name", "permuted") == 0
    one, two = tmp_path / "out/as-is", tmp_path / "out/permuted"
    for name in ("tables/trials.csv", "final/selection.json"):
        assert (one / name).read_bytes() == (two / name).read_bytes()
    tests = [read(root / "summary.json")["final"]["test"] for root in (one, two)]
    assert tests[0] != tests[1], "the labels were not permuted: a weak test"


@pytest.mark.slow
def test_a_search_over_several_seeds_a_trial_ends_like_any_other(run: Callable[..., int], tmp_path: Path) -> None:
    arguments = ("--n-trials", "4", "--seeds-per-trial", "2", "--finalists", "2", "--fresh-seeds", "1")
    for _ in range(2):
        assert run(*arguments, "--no-ablations") == 0
    root = tmp_path / "out" / NAME
    study, summary = load_study(root), read(root / "summary.json")
    assert study.spec.pruner == "halving"
    assert study.spec.seeds_per_trial == 2
    assert sum(summary["trials"].values()) == 4
    best = study.trials[summary["best"]["number"]]
    assert best.validation is not None
    assert best.validation.means()["recall@20"] == pytest.approx(best.value)
    assert replay.main([str(root), str(best.number)]) == 0
    with (root / "tables/budgets.csv").open(newline="") as file:
        ledger = next(csv.DictReader(file))
    assert (ledger["runs"], ledger["seeds"]) == (str(len(study.trial_seeds)), "2")
    assert run(*arguments, "--seeds-per-trial", "3") == 2


def test_a_changed_setting_under_the_same_name_is_refused_with_the_difference(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space = tmp_path / "space.yaml"
    space.write_text("temperature: {low: 0.1, high: 1, log: true}\n")
    common = ("--n-trials", "1", "--no-finalize", "--study-name", "s")
    assert run(*common, "--space", str(space)) == 0
    before = files(tmp_path / "out")
    space.write_text("temperature: {low: 0.2, high: 1, log: true}\n")
    for changed, message in (
        (("--space", str(space)), "space.temperature: was 0.1 to 1.0 on a log scale, now 0.2 to 1.0 on a log scale"),
        (("--seed", "3"), "seed: was 999, now 3"),
        (("--sampler", "random"), "sampler: was tpe, now random"),
        (("--pruner", "none"), "pruner: was promote, now none"),
        (("--set", "knn_k=3"), "config.knn_k: was 10, now 3"),
    ):
        arguments = changed if "--space" in changed else ("--space", str(space), *changed)
        assert run(*common, *arguments) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    assert run(*common, "--space", str(space), data=DATA.replace("dims=8/6", "dims=8/6,seed=1")) == 2
    assert "data_hash: was" in capsys.readouterr().err
    assert files(tmp_path / "out") == before
    space.write_text("temperature: {low: 0.1, high: 1, log: true}\n")
    assert run("--n-trials", "2", *common[2:], "--space", str(space), "--timeout", "60") == 0, (
        "not part of the identity"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--n-trials", "0"], "--n-trials must be at least 1, got 0"),
        (["--finalists", "0"], "--finalists must be at least 1, got 0"),
        (["--seeds-per-trial", "0"], "--seeds-per-trial must be at least 1, got 0"),
        (["--seeds-per-trial", "65"], "--seeds-per-trial must be at most 64, got 65"),
        (["--fresh-seeds", "0"], "--fresh-seeds must be at least 1, got 0"),
        (["--timeout", "-1"], "--timeout must be at least 0, got -1.0"),
        (["--threads", "0"], "--threads must be at least 1, got 0"),
        (["--space", "defualt"], "unknown search space 'defualt'; did you mean 'default'?"),
        (["--suite", "papers"], "unknown suite 'papers'; did you mean 'paper'?"),
        (["--space", "missing.yaml"], "cannot read missing.yaml"),
        (["--sampler", "grid"], "alignment_weight is a continuous range"),
        (["--preset", "papr"], "unknown preset 'papr'; did you mean 'paper'?"),
        (["--set", "temprature=1"], "unknown config key 'temprature'"),
        (["--set", "temperature=-1"], "temperature must be > 0"),
        (["--config", "missing.yaml"], "cannot read missing.yaml"),
        (["--device", "tpu"], "unknown device 'tpu'"),
        (["--study-name", "../../etc"], "study name must start with a letter or digit"),
        (["--study-name", "a/b"], "study name must start with a letter or digit"),
        (["--study-name", ""], "study name must start with a letter or digit"),
        (["--storage", "nonsense"], "--storage is no database URL: 'nonsense'"),
        (["--storage", "sqlite:////nowhere/at/all.db"], "cannot use the storage sqlite:////nowhere/at/all.db"),
        (["-d", "synthetik"], "unknown dataset 'synthetik'"),
        (["-d", DATA + ",seed=0"], "two datasets would share one folder"),
    ],
)
def test_bad_input_is_one_line_exit_code_2_and_nothing_written(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(*arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert error.startswith("error: ")
    assert files(tmp_path / "out") == []


def test_a_space_that_is_fixed_away_is_refused(run: Callable[..., int], tmp_path: Path, capsys: Any) -> None:
    space = tmp_path / "space.yaml"
    space.write_text("temperature: {low: 0.1, high: 1}\n")
    assert run("--space", str(space), "--set", "temperature=0.3") == 2
    assert "--set fixes every parameter of the search space (temperature)" in capsys.readouterr().err


def test_an_output_folder_that_cannot_be_made_is_a_user_error(
    run: Callable[..., int], tmp_path: Path, capsys: Any
) -> None:
    (tmp_path / "out").write_text("a file in the way")
    assert run("--n-trials", "1", "--no-finalize") == 2
    assert "cannot write in" in capsys.readouterr().err


def test_a_lost_database_is_noticed(run: Callable[..., int], tmp_path: Path, capsys: Any) -> None:
    arguments = ("--n-trials", "1", "--no-finalize")
    assert run(*arguments) == 0
    for path in (tmp_path / "out" / NAME).glob("study.db*"):
        path.unlink()
    assert run(*arguments) == 2
    assert "the records of 1 trials; restore it (or give the --storage" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "out" / NAME / "trials")
    (tmp_path / "out" / NAME / "config.yaml").write_text(yaml.safe_dump(["no", "mapping"]))
    assert run(*arguments) == 2
    assert "must hold a mapping" in capsys.readouterr().err


def test_a_damaged_database_is_a_user_error(run: Callable[..., int], tmp_path: Path, capsys: Any) -> None:
    arguments = ("--n-trials", "1", "--no-finalize")
    assert run(*arguments) == 0
    (tmp_path / "out" / NAME / "study.db").write_bytes(b"not a database" * 100)
    assert run(*arguments) == 2
    assert "cannot use the storage" in capsys.readouterr().err


def test_a_key_that_is_set_is_not_searched(run: Callable[..., int], tmp_path: Path) -> None:
    assert run("--n-trials", "1", "--no-finalize", "--set", "temperature=0.3") == 0
    (trial,) = load_study(tmp_path / "out" / NAME).trials
    assert "temperature" not in trial.params
    assert "learning_rate" in trial.params
    assert trial.config.temperature == 0.3


def test_a_dry_run_shows_the_study_and_writes_nothing(
    run: Callable[..., int], tmp_path: Path, cache_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(cache_folder)  # Matplotlib keeps its fonts there, if this process has just loaded it
    assert run("--dry-run", "--n-trials", "5", "--fresh-seeds", "2") == 0
    shown = capsys.readouterr().out
    assert "the search ends after 5 trials" in shown
    assert "runs: 23 in all, of at most 3 epochs" in shown
    parts = {
        "5 trials": 15,
        "3 finalists and the base configuration x 2 seeds": 24,
        "the winner x 2 seeds": 6,
        "the base configuration x 2 seeds": 6,
        "3 other arms x 2 seeds": 18,
    }
    for part, epochs in parts.items():
        assert re.search(rf"^    {part} +about +{epochs} epochs, [\d.]+ \w+", shown, re.MULTILINE)
    assert "temperature: 0.05 to 1.0, log scale" in shown
    assert "full, no-club, no-solosim, no-both" in shown
    assert re.search(r"time: about [\d.]+ \w+, at most", shown)
    assert run("--dry-run", "--final-epochs", "200", "--epochs", "150", "--budget", "6x") == 0
    shown = capsys.readouterr().out
    assert "rungs: trials pause after 10 and 30 epochs; one in 3 goes on" in shown
    assert "the search ends after 6 whole runs" in shown
    assert files(tmp_path / "out") == []
    assert files(cache_folder) == before


@pytest.mark.slow
def test_several_datasets_make_one_study_each_and_joint_tables(run: Callable[..., int], tmp_path: Path) -> None:
    other = DATA.replace("users=40", "users=41")
    small = ("--n-trials", "1", "--finalists", "1", "--fresh-seeds", "2", "--no-ablations")
    assert run("-d", other, "--study-name", "both", *small) == 0
    folders = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert folders == ["both", *(f"both-{NAME.removesuffix('-search').replace('40', users)}" for users in ("40", "41"))]
    assert (tmp_path / "out/both/tables/overall.csv").exists()


def test_every_option_is_explained_and_every_default_shown(capsys: pytest.CaptureFixture[str]) -> None:
    from study.planning.search_options import make_parser

    for action in make_parser()._actions:
        assert action.help, action
        if action.nargs != 0 and action.dest not in ("help", "config", "set"):
            assert "(default:" in action.help, action.dest


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != GRID])
def test_every_sampler_on_the_command_line_exists(sampler: str) -> None:
    from study.searching.samplers import make_sampler
    from study.searching.space import load_space

    make_sampler(sampler, load_space("default"), seed=1, number=0)


@pytest.mark.parametrize("pruner", PRUNERS)
def test_every_pruner_on_the_command_line_exists(pruner: str) -> None:
    from study.searching.pruners import make_pruner

    make_pruner(pruner, epochs=1)
    make_pruner(pruner, epochs=1, seeds=2)
    make_pruner(pruner, epochs=1000)


def test_qmc_trial_n_is_the_nth_point_of_one_scrambled_sobol_sequence() -> None:
    import numpy as np
    import optuna
    from scipy.stats import qmc

    from sea_core.streams import stream_seed
    from study.searching.samplers import make_sampler
    from study.searching.space import parse_space

    space = parse_space({"split_ratio": {"low": 0.1, "high": 0.9}, "image_weight": {"low": 0, "high": 1}}, source="x")
    study, points = optuna.create_study(), []
    for number in range(5):
        study.sampler = make_sampler("qmc", space, seed=3, number=number)
        points.append(
            [
                (study.ask(space).params[name] - low) / span
                for name, low, span in (("image_weight", 0, 1), ("split_ratio", 0.1, 0.8))
            ]
        )
    expected = qmc.Sobol(2, scramble=True, seed=stream_seed(3, "sampler/qmc") % 2**32).random(8)[:5]
    assert np.allclose(np.sort(points), np.sort(expected))


@pytest.mark.parametrize(
    ("arguments", "pruner"),
    [
        ([], "promote"),
        (["--seeds-per-trial", "2"], "halving"),
        (["--space", "grid-temperature-split", "--sampler", "grid"], "none"),
        (["--space", "grid-temperature-split", "--sampler", "grid", "--pruner", "median"], "median"),
    ],
)
def test_a_grid_is_not_pruned_unless_asked(arguments: list[str], pruner: str, tmp_path: Path) -> None:
    (request,) = search_requests(make_parser().given(["-d", DATA, "--out", str(tmp_path), *arguments]))
    plan = plan_study(request)
    assert plan.pruner == pruner


def test_a_time_that_is_over_before_the_first_trial_is_said(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--timeout", "0") == 2
    assert "no trial began within --timeout 0 s of setting up; give the search more time" in capsys.readouterr().err


@pytest.mark.slow
def test_a_dry_run_of_a_finished_study_has_nothing_left_to_train(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--n-trials", "2", "--finalists", "1", "--fresh-seeds", "2", "--no-ablations")
    assert run(*arguments) == 0
    capsys.readouterr()
    assert run(*arguments, "--dry-run") == 0
    shown = capsys.readouterr().out
    assert "6 in all, 0 of them still to train" in shown
    assert "time: about 0" in shown


@pytest.mark.parametrize("record", ["config.yaml", "summary.json", "trials/1/record.json"])
@pytest.mark.slow
def test_a_record_of_a_study_is_a_config_for_the_next(run: Callable[..., int], tmp_path: Path, record: str) -> None:
    assert run("--n-trials", "2", "--finalists", "1", "--fresh-seeds", "1", "--no-ablations") == 0
    study = load_study(tmp_path / "out" / NAME)
    base = {**study.trials[1].config.as_dict(), **{key: getattr(Config(), key) for key in study.space}}
    expected = {
        "config.yaml": Config.from_record(base),  # what all trials share
        "summary.json": study.winner[0].config,
        "trials/1/record.json": study.trials[1].config,
    }
    assert build_config(file=study.folder.root / record) == expected[record]


@pytest.mark.slow
def test_the_metrics_a_study_chooses_reach_records_tables_figures_report_and_terminal(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from plots import user_differences
    from study.analysis.results import Results

    small = ("--n-trials", "1", "--finalists", "1", "--fresh-seeds", "2")
    assert run(*small, "--metrics", "ndcg@7", "recall@3") == 0
    root = tmp_path / "out" / NAME
    printed = capsys.readouterr().out
    assert "NDCG@7" in printed
    assert "Recall@20" not in printed
    study = load_study(root)
    for record in study.all_records():
        assert {"ndcg@7", "recall@3", "recall@10", "recall@20"} <= set(record.record["validation"]), record.folder
        assert record.number is not None or {"ndcg@7", "recall@3"} <= set(record.test.means())
    for table in ("overall", "ablation"):
        header = (root / "tables" / f"{table}.md").read_text()
        assert header.index("NDCG@7") < header.index("Recall@3")
        assert "@20" not in header
    statistics = (root / "tables" / "statistics.csv").read_text()
    assert "ndcg@7" in statistics
    assert "recall@20" not in statistics
    assert user_differences.compute(Results([study])).metric == "ndcg@7"
    assert "NDCG@7" in (root / "report.html").read_text()
    # Settled with the study: another K was never measured.
    assert run(*small) == 2
    assert "metrics: was ['ndcg@7', 'recall@3']" in capsys.readouterr().err


@pytest.mark.slow
def test_tables_may_show_any_metric_that_was_measured(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from study import make_tables

    assert run("--n-trials", "1", "--finalists", "1", "--fresh-seeds", "1", "--no-ablations") == 0
    root = tmp_path / "out" / NAME
    assert make_tables.main([str(root), "--out", str(tmp_path), "--metrics", "map@10", "precision@20"]) == 0
    shown = (tmp_path / "overall.md").read_text()
    assert shown.index("MAP@10") < shown.index("Precision@20")
    assert "Recall" not in shown
    with pytest.raises(UserError, match=r"metric 'recall@7' was not measured.*is made with --metrics recall@7"):
        make_tables.main([str(root), "--metrics", "recall@7"])


@pytest.mark.slow
def test_a_finished_study_is_not_drawn_again(
    run: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("--n-trials", "1", "--finalists", "1", "--fresh-seeds", "2", "--no-ablations")
    drawings: list[object] = []
    monkeypatch.setattr("plots.lib.pictures.study_pictures", lambda results, out: drawings.append(results) or [])
    assert run(*arguments) == 0
    root = tmp_path / "out" / NAME
    before = {name: (root / name).stat().st_mtime_ns for name in ("report.html", "tables/overall.md")}
    assert run(*arguments) == 0
    assert len(drawings) == 1
    assert before == {name: (root / name).stat().st_mtime_ns for name in before}
    (root / "tables" / "overall.md").unlink()
    assert run(*arguments) == 0
    assert len(drawings) == 2
    assert (root / "tables" / "overall.md").exists()


@pytest.mark.usefixtures("cache_folder")
@pytest.mark.slow
def test_a_suite_without_an_arm_for_the_model_trains_and_asks_nothing(tmp_path: Path) -> None:
    small = ["--set", "latent_dim=4", "batch_size=256", "epochs=2", "--n-trials", "2", "--threads", "1", "--quiet"]
    finals = ["--finalists", "1", "--fresh-seeds", "2", "--out", str(tmp_path)]
    assert run_search.main(["-d", DATA, "--model", "bpr", *small, *finals]) == 0
    study = load_study(tmp_path / NAME)
    assert len(study.winner) == 2
    assert study.ablations == []
    assert study.question is None
    assert not (study.folder.tables / "ablation.csv").exists()

"""Curves on file: kills change nothing but times, and a table is enough to go on from."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.curve_plan import SEEDS, SETTINGS, is_replicated, plan
from benchmarks.curve_table import TIMES, _parquet, finished_runs, read_curves
from sea_core.config import Config
from sea_core.errors import UserError
from study.searching.space import contains, load_space

ROOT = Path(__file__).resolve().parents[2]
DATASET = "synthetic:users=60,items=60,dims=12/10"
NAME = "synthetic-users-60-items-60-dims-12-10"
RUNS = 4 * 3  # four configurations, all replicated


def test_any_prefix_of_the_plan_is_a_smaller_plan():
    runs = plan(60)
    alone = [run for run in plan(150) if run.seed == SEEDS[0]]
    assert [run.parameters for run in runs if run.seed == SEEDS[0]] == [run.parameters for run in alone[:60]]
    names = [run.name for run in runs]
    assert len(set(names)) == len(names)
    assert all(run.seed == SEEDS[0] for run in runs[:41])
    first_seed = {run.configuration: index for index, run in enumerate(runs) if run.seed == SEEDS[0]}
    assert all(first_seed[run.configuration] <= index for index, run in enumerate(runs))


def test_the_plan_holds_the_settings_and_thirty_replicated_configurations():
    runs = plan(150)
    assert len(runs) == 150 + 2 * 30
    assert sum(is_replicated(number) for number in range(150)) == 30
    for run, setting in zip(runs, SETTINGS, strict=False):
        assert run.config == Config(**setting, epochs=300)


def test_planned_configurations_lie_in_the_space_and_fill_it():
    space = load_space("default")
    points = [run.parameters for run in plan(150) if run.configuration >= len(SETTINGS) and run.seed == SEEDS[0]]
    for name, distribution in space.items():
        assert all(contains(distribution, point[name]) for point in points)
    rates = pd.Series([point["learning_rate"] for point in points])
    assert 0.45 < (rates < 1e-3).mean() < 0.55  # on a log scale 1e-3 is the middle
    assert {point["gnn_layers"] for point in points} == {1, 2, 3, 4}
    assert {point["knn_k"] for point in points} == {5, 10, 20}


def make(folder: Path, *more: str, wait: bool = True) -> subprocess.Popen[bytes]:
    command = [sys.executable, "benchmarks/make_curves.py", "-d", DATASET, "--work", str(folder / "work")]
    command += ["--out", str(folder / "out"), "--configurations", "4", "--epochs", "6", "--checkpoint-seconds", "0"]
    process = subprocess.Popen([*command, *more], cwd=ROOT, stdout=subprocess.DEVNULL)
    if wait:
        assert process.wait(timeout=120) == 0
    return process


def without_times(folder: Path) -> bytes:
    frame = read_curves(folder / "out" / f"{NAME}.parquet")
    assert (frame["cpu_seconds"] > 0).all()
    return _parquet(frame.drop(columns=TIMES), "hash")


def wait_for(condition, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, "the program ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The curves of an undisturbed program."""
    folder = tmp_path_factory.mktemp("curves") / "whole"
    make(folder)
    return folder


@pytest.mark.timing
@pytest.mark.slow
def test_kills_inside_a_run_and_a_lost_work_folder_change_only_times(whole: Path, tmp_path: Path):
    folder = tmp_path / "killed"
    work = folder / "work" / NAME

    process = make(folder, wait=False)
    wait_for(lambda: (work / "0001-1.safetensors").exists(), process)  # the second run has epochs behind it
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (work / "0000-1.json").exists()
    assert not (work / "0001-1.json").exists()

    make(folder, "--collect")
    assert json.loads((folder / "out" / f"{NAME}.json").read_text())["runs_finished"] == 1
    shutil.rmtree(folder / "work")  # another machine, which has the table alone
    make(folder, "--workers", "2")

    assert without_times(folder) == without_times(whole)
    assert not (work / "0000-1.json").exists()  # taken from the table, not made again
    facts = json.loads((folder / "out" / f"{NAME}.json").read_text())
    assert facts["runs_finished"] == facts["runs_planned"] == RUNS
    assert sum(entry["runs"] for entry in facts["made_by"]) == RUNS


@pytest.mark.timing
@pytest.mark.slow
def test_the_table_has_every_epoch_of_every_run(whole: Path):
    frame = read_curves(whole / "out" / f"{NAME}.parquet")
    assert frame.groupby(["configuration", "seed"]).ngroups == RUNS
    for _, curve in frame.groupby(["configuration", "seed"]):
        assert curve["epoch"].tolist() == list(range(len(curve)))
        assert curve["end"].unique().tolist() == ["capped" if len(curve) == 6 else "stopped"]
    assert frame["recall@20"].between(0, 1).all()
    assert frame["loss/total"].notna().all()


@pytest.mark.timing
@pytest.mark.slow
def test_a_table_of_other_data_or_of_another_plan_is_refused(whole: Path):
    table = whole / "out" / f"{NAME}.parquet"
    data_hash = json.loads(table.with_suffix(".json").read_text())["data_hash"]
    assert len(finished_runs(table, plan(4, most_epochs=6), data_hash)) == RUNS
    with pytest.raises(UserError, match="made from other data"):
        finished_runs(table, plan(4, most_epochs=6), "another hash")
    with pytest.raises(UserError, match="configuration 0 is of another plan"):
        finished_runs(table, plan(4, most_epochs=7), data_hash)

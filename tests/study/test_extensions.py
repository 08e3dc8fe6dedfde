"""Every kind of part, added from one file in a folder of the user's own, through the real programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
import yaml

from sea_core.run_folder import read_run_folder

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow  # real studies

MODEL = (Path(__file__).parents[1] / "toy_model.py").read_text()
SOURCE = """
import numpy as np
from sea_core.data.sources.registry import register_source
from sea_core.data.sources.source import Source
from sea_core.data.splits import Contents, from_labels

class Ring(Source):
    name, summary = "ring", "users on a ring like the next seven items"

    def canonical(self, options):
        return str(int(options or 40))

    def open(self, options):
        size = int(options)
        user, label = np.repeat(np.arange(size), 7), np.tile([0, 0, 0, 0, 0, 1, 2], size)
        item = (user + np.tile(np.arange(7), size)) % size
        splits = from_labels(user, item, label, users=size, items=size, source="ring")
        features = {name: np.eye(size, dtype=np.float32) for name in ("image", "text")}
        return Contents(splits, lambda wanted: features)

register_source(Ring())
"""
METRIC = """
from sea_core.evaluation.metrics import METRICS

@METRICS.add("hit")
def hit(hits, relevant):
    return hits.any(axis=1) * 1.0
"""
TRANSFORM = """
from sea_core.data.transforms import register_transform

@register_transform("backwards")
def backwards(request):
    return request.own[::-1].copy()
"""
LOSS = """
from sea_core.losses.registry import DISTANCINGS

@DISTANCINGS.add("cosine")
def cosine(generic, unique):
    import torch
    return torch.cosine_similarity(generic, unique, dim=1).abs().mean()
"""
FIGURE = """
from typing import NamedTuple
import pandas as pd
from plots.lib.figures import register_figure

register_figure(__name__, name="epochs_run")
TITLE, CAPTION = "Epochs", "Epochs that each trial ran."

class Info(NamedTuple):
    data: pd.DataFrame

def compute(results):
    trials = results.study.trials
    return Info(pd.DataFrame({"trial": [t.number for t in trials], "epochs": [t.record["epochs"] for t in trials]}))

def size(info):
    return 3.0, 2.0

def draw(ax, info):
    ax.bar(info.data["trial"], info.data["epochs"])
"""
TABLE = """
import pandas as pd
from study.reporting.tables.registry import register_table
from study.reporting.tables.table import Number, Table

@register_table("seconds")
def compute(results):
    frame = pd.DataFrame({"trial": [t.number for t in results.studies[0].trials]})
    return Table("seconds", "Trials there are.", ["trial"], [[str(n)] for n in frame["trial"]], frame)
"""
LISTENER = """
from pathlib import Path
from study.listeners.registry import register_listener

@register_listener("diary")
class Diary:
    def __init__(self, text):
        self.path = Path(text)

    def hear(self, event):
        with self.path.open("a") as file:
            file.write(f"{type(event).__name__}\\n")

    def close(self):
        with self.path.open("a") as file:
            file.write("closed\\n")
"""
PLUGINS = {"toy_model.py": MODEL, "ring.py": SOURCE, "hit.py": METRIC, "backwards.py": TRANSFORM, "cosine.py": LOSS}
PLUGINS |= {"epochs_run.py": FIGURE, "seconds.py": TABLE, "diary.py": LISTENER}
ARM = """
name: cosine
title: cosine
changes: {distancing: cosine}
why: Distancing by the cosine alone, an arm of the user's own.
"""
SPACE = "latent_dim: {choices: [2, 4]}\nlearning_rate: {low: 0.005, high: 0.05, log: true}\n"
TINY = ["latent_dim=4", "item_mlp_hidden=6", "align_hidden=4", "align_out=4", "distance_dim=4", "club_steps=2"]


PROGRAMS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "study").glob("[!_]*.py"))
PROGRAMS += ["plots/make_figures.py", "ablations/run_ablations.py"]


class Place(NamedTuple):
    """A folder with plugins, and one of the results."""

    own: Path
    out: Path

    def run(self, program: str, *arguments: str, plugins: list[str] | None = None) -> subprocess.CompletedProcess[str]:
        named = [each for name in plugins or [] for each in ("--plugin", str(self.own / name))]
        command = [sys.executable, str(ROOT / program), *arguments, *named]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "SEA_CACHE": str(self.out.parent / "cache")}
        environment["RAY_worker_niceness"] = "0"  # a busy machine starves workers of Ray's own niceness
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=self.own, check=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    own = tmp_path_factory.mktemp("own")
    for name, text in {**PLUGINS, "my-arm.yaml": ARM, "my-space.yaml": SPACE}.items():
        (own / name).write_text(text)
    return Place(own, tmp_path_factory.mktemp("out"))


SEARCH = ["-d", "ring", "--model", "toy", "--space", "my-space.yaml", "--n-trials", "3", "--epochs", "4"]
SEARCH += [
    "--finalists",
    "1",
    "--fresh-seeds",
    "2",
    "--no-ablations",
    "--threads",
    "1",
    "--quiet",
    "--final-epochs",
    "4",
]
SEARCH += ["--study-name", "own-search", "--listener"]


@pytest.fixture(scope="module")
def study(place: Place) -> Path:
    """A search of a user's model on a user's data and space, with a metric, figure, table and listener of theirs."""
    names = ["toy_model.py", "ring.py", "hit.py", "epochs_run.py", "seconds.py", "diary.py"]
    done = place.run("study/run_search.py", *SEARCH, "diary:diary.txt", "--out", str(place.out), plugins=names)
    assert done.returncode == 0, done.stderr
    return place.out / "own-search"


def record(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "record.json").read_text())
    return content


def test_a_model_a_source_and_a_space_of_ones_own_are_searched(study: Path) -> None:
    trial = record(study / "trials" / "0")
    assert (trial["config"]["model"], trial["dataset"]) == ("toy", "ring:40")
    assert set(trial["trial"]["params"]) == {"latent_dim", "learning_rate"}
    assert len(list((study / "final/winner").glob("seed-*/test.parquet"))) == 2


def test_a_metric_of_ones_own_is_in_every_record(study: Path) -> None:
    trial = record(study / "trials" / "0")
    users = pd.read_parquet(study / "trials" / "0" / "validation.parquet")
    assert trial["validation"]["hit@20"] == pytest.approx((users["recall@20"] > 0).mean())


def test_a_figure_and_a_table_of_ones_own_are_drawn_and_in_the_report(study: Path) -> None:
    assert (study / "figures/epochs_run.csv").read_text().splitlines()[0] == "trial,epochs"
    assert (study / "figures/epochs_run.pdf").stat().st_size > 1000
    assert (study / "tables/seconds.md").read_text().startswith("Trials there are.")
    report = (study / "report.html").read_text()
    assert "Epochs that each trial ran." in report
    assert "Trials there are." in report


def test_a_listener_of_ones_own_hears_the_study(study: Path, place: Place) -> None:
    heard = (place.own / "diary.txt").read_text().splitlines()
    assert heard[0] == "StudyBegun"
    assert heard[-2:] == ["StudyEnded", "closed"]
    assert heard.count("TrialEnded") == 3
    assert heard.count("EpochEnded") >= 5 * 1
    assert "TableWritten" in heard


def test_plugins_are_in_the_provenance_and_those_that_train_in_what_the_study_is(study: Path) -> None:
    stored = json.loads((study / "provenance.json").read_text())["plugins"]
    assert [Path(each["path"]).name for each in stored][:3] == ["toy_model.py", "ring.py", "hit.py"]
    assert {Path(each["path"]).name: each["trains"] for each in stored} == {
        "toy_model.py": ["model toy"],
        "ring.py": ["source ring"],
        "hit.py": ["metric hit"],
        "epochs_run.py": [],
        "seconds.py": [],
        "diary.py": [],
    }
    assert set(yaml.safe_load((study / "config.yaml").read_text())["plugins"]) == {"toy_model.py", "ring.py", "hit.py"}
    assert set(record(study / "trials" / "0")["plugins"]) == {"toy_model.py", "ring.py", "hit.py"}


def test_the_same_command_without_or_with_a_changed_plugin_is_refused(study: Path, place: Place) -> None:
    names = ["toy_model.py", "ring.py"]
    missing = place.run("study/run_search.py", *SEARCH[:-1], "--out", str(place.out), plugins=names)
    assert missing.returncode == 2
    assert "plugins.hit.py: was" in missing.stderr
    changed = place.own / "changed"
    changed.mkdir(exist_ok=True)
    (changed / "hit.py").write_text(METRIC + "\n# another thought\n")
    done = place.run("study/run_search.py", *SEARCH[:-1], "--out", str(place.out), plugins=[*names, "changed/hit.py"])
    assert done.returncode == 2
    assert "plugins.hit.py: was" in done.stderr
    assert "Traceback" not in done.stderr + missing.stderr


def test_a_table_and_a_figure_of_ones_own_go_with_their_plugin(study: Path, place: Place) -> None:
    names = ["toy_model.py", "ring.py", "hit.py"]
    done = place.run("study/run_search.py", *SEARCH[:-1], "--out", str(place.out), plugins=names)
    assert done.returncode == 0, done.stderr
    assert list(study.glob("*/seconds.*")) + list(study.glob("*/epochs_run.*")) == []
    assert "Trials there are." not in (study / "report.html").read_text()
    assert (study / "tables" / "overall.md").exists()


def test_a_record_of_a_plugins_model_names_what_is_missing_where_it_is_read_without_it(
    study: Path, place: Place
) -> None:
    done = place.run("study/replay.py", str(study), "0")
    assert done.returncode == 2
    assert "--plugin" in done.stderr
    again = place.run("study/replay.py", str(study), "0", plugins=["toy_model.py", "ring.py", "hit.py"])
    assert again.returncode == 0, again.stderr
    assert "reproduced to the bit" in again.stdout


def test_an_arm_and_a_loss_of_ones_own_are_ablated_with_plugins_from_the_config_file(place: Place) -> None:
    (place.own / "mine.yaml").write_text("plugins: [cosine.py, backwards.py]\nfeature_transform: {image: backwards}\n")
    settings = ["--epochs", "2", "--fresh-seeds", "2", "--threads", "1", "--quiet", "--out", str(place.out)]
    data = ["-d", "synthetic:users=40,items=30,interactions=8,dims=8/6", "--study-name", "own-arms"]
    given = [*data, "--config", "mine.yaml", "--set", *TINY, "batch_size=256", "--arms", "my-arm.yaml"]
    done = place.run("ablations/run_ablations.py", *given, *settings)
    assert done.returncode == 0, done.stderr
    runs = sorted((place.out / "own-arms/ablations/frozen/cosine").glob("seed-*"))
    assert len(runs) == 2
    recorded = record(runs[0])
    assert recorded["config"]["distancing"] == "cosine"
    assert recorded["config"]["feature_transform"] == {"image": "backwards"}
    assert set(recorded["plugins"]) == {"cosine.py", "backwards.py"}
    assert "cosine" in (place.out / "own-arms/tables/ablation.md").read_text()


def test_workers_load_the_plugins_too_and_leave_the_same_record(study: Path, place: Place) -> None:
    names = ["toy_model.py", "ring.py", "hit.py"]
    given = [*SEARCH[: SEARCH.index("--finalists")], "--sampler", "random", "--pruner", "none", "--no-finalize"]
    given += ["--threads", "1", "--quiet", "--out", str(place.out)]
    for workers in ("1", "2"):
        own = ["--workers", workers, "--study-name", f"of-{workers}"]
        done = place.run("study/run_search.py", *given, *own, plugins=names)
        assert done.returncode == 0, done.stderr
    one, two = (read_run_folder(place.out / f"of-{workers}" / "trials" / "1").record for workers in ("1", "2"))
    assert one["weights_hash"] == two["weights_hash"]
    assert one["validation"] == two["validation"]
    assert one["plugins"] == two["plugins"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_takes_plugins_and_a_faulty_one_is_one_line(place: Place, program: str) -> None:
    (place.own / "faulty.py").write_text("x = 1\nraise ValueError('not today')\n")
    done = place.run(program, plugins=["faulty.py"])
    assert done.returncode == 2, done.stderr
    assert "faulty.py fails in line 2: ValueError: not today" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_figure_or_a_table_that_fails_is_one_line_with_its_file_and_line(study: Path, place: Place) -> None:
    (place.own / "bad_figure.py").write_text(
        FIGURE.replace("epochs_run", "bad").replace("return 3.0, 2.0", "return 1 / 0")
    )
    (place.own / "bad_table.py").write_text(TABLE.replace("seconds", "bad").replace("results.studies[0]", "results.no"))
    trained = ["toy_model.py", "ring.py", "hit.py"]
    drawn = place.run("plots/make_figures.py", str(study), plugins=[*trained, "bad_figure.py"])
    tabled = place.run("study/make_tables.py", str(study), plugins=[*trained, "bad_table.py"])
    for done, name in ((drawn, "bad_figure.py"), (tabled, "bad_table.py")):
        assert done.returncode == 2, done.stderr
        assert f"{name} fails in line" in done.stderr
        assert "Traceback" not in done.stderr

"""Trackers write through their own libraries; what they wrote is read back with the libraries' own readers."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sea_core.errors import UserError
from sea_core.interrupts import StopRequest
from sea_core.training.loop import Stopped
from study.listeners.choose import listening
from study.listeners.hub import Hub
from study.listeners.registry import LISTENERS
from study.records.run import Run
from study.running.events import RunEnded, RunEvent, StudyBegun, TableWritten, TrialEnded, announced
from tests.study.small_searches import BASE, search

LIBRARIES = {"tensorboard": "tensorboard", "mlflow": "mlflow.tracking", "wandb": "wandb"}


class Kept(NamedTuple):
    """What a tracker holds of a run: the curve of recall@20 by epoch, single results, and its state in words."""

    curve: dict[int, float]
    results: dict[str, float]
    words: str


def read_tensorboard(folder: Path) -> dict[str, Kept]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    kept = {}
    for path in sorted((folder / "tensorboard").rglob("events.out.tfevents.*")):
        events = EventAccumulator(str(path))
        events.Reload()
        tags = events.Tags()
        scalars = {tag: {each.step: each.value for each in events.Scalars(tag)} for tag in tags["scalars"]}
        words = " ".join(
            b"".join(each.tensor_proto.string_val).decode() for tag in tags["tensors"] for each in events.Tensors(tag)
        )
        results = {tag.removeprefix("result/"): curve[0] for tag, curve in scalars.items() if tag.startswith("result/")}
        name = path.parent.relative_to(folder / "tensorboard").as_posix()
        assert name not in kept, "one file a run, also of a continued one"
        kept[name] = Kept(scalars.get("validation/recall@20", {}), results, words)
    return kept


def read_mlflow(folder: Path) -> dict[str, Kept]:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(folder.name)
    assert experiment is not None
    kept = {}
    for run in client.search_runs([experiment.experiment_id]):
        history = client.get_metric_history(run.info.run_id, "validation/recall_at_20")
        assert len({each.step for each in history}) == len(history), "no epoch twice"
        results = {
            name.removeprefix("result/").replace("_at_", "@"): value
            for name, value in run.data.metrics.items()
            if name.startswith("result/")
        }
        words = " ".join([run.info.status, *run.data.tags.values(), *map(str, run.data.params.items())])
        assert run.data.tags["sea.key"] not in kept, "one run a run, also of a continued one"
        kept[run.data.tags["sea.key"]] = Kept({each.step: each.value for each in history}, results, words)
    return kept


def wandb_records(path: Path) -> Iterator[Any]:
    """The protobuf messages of an offline run; W&B ships their classes, and frames them as LevelDB's log does."""
    from wandb.proto import wandb_internal_pb2

    block, header = 32768, 7
    content, position, message = path.read_bytes(), header, b""
    while position + header <= len(content):
        if block - position % block < header:  # the rest of a block is padding
            position += block - position % block
            continue
        length = int.from_bytes(content[position + 4 : position + 6], "little")
        kind = content[position + 6]  # 1 whole, 2 first, 3 middle, 4 last
        message += content[position + header : position + header + length]
        position += header + length
        if kind in (1, 4):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(message)
            message = b""
            yield record


def read_wandb(folder: Path) -> dict[str, Kept]:
    kept = {}
    for path in sorted((folder / "wandb").glob("offline-run-*/run-*.wandb")):
        curve: dict[int, float] = {}
        results: dict[str, float] = {}
        words: list[str] = []
        name = ""
        for record in wandb_records(path):
            if record.WhichOneof("record_type") == "run":
                name = record.run.display_name.replace("trial ", "trials/")
                words += [f"{each.key} {each.value_json}" for each in record.run.config.update]
            if record.WhichOneof("record_type") == "history":
                row = {item.key or ".".join(item.nested_key): item.value_json for item in record.history.item}
                curve[record.history.step.num] = json.loads(row["validation/recall@20"])
            if record.WhichOneof("record_type") == "summary":
                for item in record.summary.update:
                    key = item.key or ".".join(item.nested_key)
                    if key.startswith("result/"):
                        results[key.removeprefix("result/")] = json.loads(item.value_json)
                    words.append(f"{key} {item.value_json}")
        assert name not in kept, "one folder a run, also of a continued one"
        kept[name] = Kept(curve, results, " ".join(words))
    return kept


READERS: dict[str, Callable[[Path], dict[str, Kept]]] = {
    "tensorboard": read_tensorboard,
    "mlflow": read_mlflow,
    "wandb": read_wandb,
}


SLOW = pytest.mark.slow  # MLflow makes a database, W&B starts a process


@pytest.fixture(params=["tensorboard", pytest.param("mlflow", marks=SLOW), pytest.param("wandb", marks=SLOW)])
def tracker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name = str(request.param)
    pytest.importorskip(LIBRARIES[name], reason=f"needs the extra '{name}'")
    for variable in ("MLFLOW_TRACKING_URI", "WANDB_MODE"):
        monkeypatch.delenv(variable, raising=False)
    return name


def track(name: str, root: Path, trials: int, **settings: Any) -> list[Any]:
    """A study of ``trials`` with one tracker; what it learns from the driver is told to the tracker alone."""
    begun = StudyBegun("tiny", root / "tiny", "random", {})
    hub = Hub({name: LISTENERS[name]("")}, warn=pytest.fail)
    with hub as emit, announced(begun, emit):
        return list(search(root, trials, emit=emit, **settings).trials())


@pytest.mark.filterwarnings("ignore")  # the libraries' own
def test_every_tracker_keeps_each_runs_config_curve_and_result(tracker: str, tmp_path: Path) -> None:
    trials = track(tracker, tmp_path, 3, pruner="none")
    kept = READERS[tracker](tmp_path / "tiny")
    assert sorted(kept) == ["trials/0", "trials/1", "trials/2"]
    for trial in trials:
        run = kept[f"trials/{trial.number}"]
        assert run.curve == pytest.approx(trial.intermediate_values, rel=1e-6)
        assert run.results == pytest.approx({"value": trial.value}, rel=1e-6)
        assert "complete" in run.words
        assert "latent_dim" in run.words
        assert str(trial.params["split_ratio"])[:8] in run.words


@pytest.mark.filterwarnings("ignore")
def test_a_continued_study_continues_in_the_tracker_with_every_epoch_once(tracker: str, tmp_path: Path) -> None:
    stop, seen = StopRequest(), 0

    def stop_in_the_second_trial(run: Run, epoch: int) -> None:
        nonlocal seen
        seen += 1
        stop.asked = seen == 8

    with pytest.raises(Stopped):
        track(tracker, tmp_path, 2, pruner="none", stop=stop, misbehave=stop_in_the_second_trial)
    trials = track(tracker, tmp_path, 2, pruner="none")
    kept = READERS[tracker](tmp_path / "tiny")
    assert sorted(kept) == ["trials/0", "trials/1"]
    for trial in trials:
        assert kept[f"trials/{trial.number}"].curve == pytest.approx(trial.intermediate_values, rel=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_results_of_fixed_runs_failures_duplicates_and_tables_are_kept(tracker: str, tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    table = folder / "tables" / "overall.csv"
    table.parent.mkdir(parents=True)
    table.write_text("a\n1\n")
    heard: list[RunEvent] = []
    search(tmp_path / "elsewhere", 1, emit=heard.append)
    run = heard[:-2]  # without its end: here it is a winner's
    key = run[0].key  # type: ignore[union-attr]
    begun, hub = StudyBegun("tiny", folder, "random", {}), Hub({tracker: LISTENERS[tracker]("")}, warn=pytest.fail)
    with hub as emit, announced(begun, emit):
        for event in run:
            emit(event)
        emit(RunEnded(key, "winner", "recall@20", {"recall@20": 0.5}, {"recall@20": 0.4}))
        emit(heard[-1])
        emit(TrialEnded(str(folder / "trials/4"), 4, "complete", 0.25, {"temperature": 0.5}, duplicate_of=2))
        emit(TrialEnded(str(folder / "trials/5"), 5, "failed", None, {}, failure="not enough memory"))
        emit(TableWritten("overall", "All.", table))
    kept = READERS[tracker](folder)
    winner = next(each for each in kept.values() if len(each.curve) == BASE.epochs)
    assert winner.results == pytest.approx({"validation/recall@20": 0.5, "test/recall@20": 0.4}, rel=1e-6)
    assert kept["trials/4"].results == pytest.approx({"value": 0.25}, rel=1e-6)
    assert "trial 2" in kept["trials/4"].words
    assert "not enough memory" in kept["trials/5"].words
    if tracker == "mlflow":
        assert list((folder / "mlflow-artifacts").rglob("tables/overall.csv"))


def test_a_tracker_whose_library_is_not_there_is_one_line_with_what_to_install(
    tracker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("mlflow", "mlflow.entities", "mlflow.tracking", "wandb", "tensorboard", "torch.utils.tensorboard"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=rf"pip install 'sea-study\[{tracker}\]'"):
        listening([tracker], quiet=True)

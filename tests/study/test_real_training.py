"""The same guarantees with real training in place of the stand-in: fewer trials, every bit of a record."""

from pathlib import Path

import pytest

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.files import write_json
from sea_core.interrupts import StopRequest
from sea_core.training.loop import Stopped
from study.records.run import Run
from study.records.study import RunRecord, load_study
from study.running.driver import drive
from study.running.events import silent
from study.running.executors.in_process import InProcessExecutor
from study.running.fixed_runs import FixedRuns
from study.running.worker import TrialWorker
from study.searching.promoting import PromotingSearch
from study.searching.promotion import Promotion
from study.verification.verify import verify
from tests.conftest import random_dataset
from tests.study.small_searches import search

SMALL = Config(
    latent_dim=4,
    item_mlp_hidden=6,
    align_hidden=4,
    align_out=4,
    distance_dim=4,
    club_steps=2,
    batch_size=64,
    learning_rate=0.01,
    epochs=4,
)
SPACE = {"temperature": {"low": 0.05, "high": 1.0, "log": True}, "gnn_layers": {"low": 1, "high": 2}}


@pytest.fixture
def dataset(cache_folder: Path) -> Dataset:
    return random_dataset()


def without_clock(record: RunRecord) -> dict[str, object]:
    return {key: value for key, value in record.record.items() if key not in ("seconds", "cpu_seconds")}


def test_a_study_interrupted_after_every_epoch_leaves_the_records_of_an_undisturbed_one(
    tmp_path: Path, dataset: Dataset
) -> None:
    settings = {"space": SPACE, "base": SMALL, "dataset": dataset, "pruner": "none"}
    search(tmp_path / "whole", 2, worker=TrialWorker(dataset), **settings)
    stop, interruptions = StopRequest(), 0
    while True:
        stop.asked = False
        worker = TrialWorker(dataset)
        advance = worker.advance

        def advance_and_stop(advance=advance):
            stop.asked = True
            return advance()

        worker.advance = advance_and_stop  # type: ignore[method-assign]
        try:
            search(tmp_path / "parts", 2, worker=worker, stop=stop, **settings)
            break
        except Stopped:
            interruptions += 1
    assert interruptions >= 6
    for one, two in zip(*(load_study(tmp_path / name / "tiny").trials for name in ("whole", "parts")), strict=True):
        assert without_clock(one) == without_clock(two)
        assert one.history is not None
        assert two.history is not None
        assert one.history.drop(columns="seconds").equals(two.history.drop(columns="seconds"))
        assert one.weights_hash == two.weights_hash


def test_a_run_continues_from_a_checkpoint_and_starts_anew_from_a_broken_one(tmp_path: Path, dataset: Dataset) -> None:
    run = Run(SMALL, 3, checkpoint_seconds=0)
    worker = TrialWorker(dataset)
    worker.start(run, None)
    worker.advance()
    checkpoint = worker.advance().checkpoint
    assert checkpoint is not None
    continued = worker.start(run, checkpoint)
    assert [report.epoch for report in continued.reports] == [0, 1]
    for broken in (checkpoint[:100], checkpoint[:-4] + b"\0\0\0\1", b""):
        anew = worker.start(run, broken)
        assert (anew.reports, anew.finished) == ((), False)
        assert anew.note is not None
        assert anew.note.startswith("starting anew: ")
    assert worker.start(Run(SMALL, 4), checkpoint).note is not None, "a checkpoint of another seed is not used"


def test_a_recorded_run_replays_to_the_bit_and_a_forged_one_does_not(tmp_path: Path, dataset: Dataset) -> None:
    search(tmp_path, 1, space=SPACE, base=SMALL, dataset=dataset, worker=TrialWorker(dataset))
    (record,) = load_study(tmp_path / "tiny").trials
    assert verify(record, dataset, device="cpu") is None

    history = (record.folder / "history.csv").read_text()
    lines = history.split("\n")
    lines[3] = lines[3].replace("0.", "1.", 1)
    (record.folder / "history.csv").write_text("\n".join(lines))
    (forged,) = load_study(tmp_path / "tiny").trials
    difference = verify(forged, dataset, device="cpu")
    assert difference is not None
    assert difference.where.startswith("epoch 2, ")

    (record.folder / "history.csv").write_text(history)
    for key, where in (("weights_hash", "final weights"), ("init_hashes", "initial weights of")):
        forged_value = "0" if key == "weights_hash" else {**record.record[key], next(iter(record.record[key])): "0"}
        write_json(record.folder / "record.json", {**record.record, key: forged_value})
        difference = verify(load_study(tmp_path / "tiny").trials[0], dataset, device="cpu")
        assert difference is not None
        assert difference.where.startswith(where)


@pytest.mark.slow
def test_promoted_and_paused_trials_replay_to_the_bit_with_and_without_their_checkpoints(
    tmp_path: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = Promotion(rungs=(1, 2), factor=2, points=1)
    settings = {"space": SPACE, "base": SMALL, "dataset": dataset, "pruner": "promote", "promotion": rules}
    search(tmp_path / "kept", 6, worker=TrialWorker(dataset), **settings)
    made = PromotingSearch.__init__
    monkeypatch.setattr(PromotingSearch, "__init__", lambda *a, **k: made(*a, kept=0, **k))
    search(tmp_path / "dropped", 6, worker=TrialWorker(dataset), **settings)
    kept, dropped = (load_study(tmp_path / name / "tiny").trials for name in ("kept", "dropped"))
    assert [without_clock(trial) for trial in kept] == [without_clock(trial) for trial in dropped]
    assert {trial.record["epochs"] for trial in kept} == {1, 2, 4}
    for trial in kept:
        assert verify(trial, dataset, device="cpu") is None


def test_a_config_the_data_cannot_have_is_a_failed_trial_with_its_reason(tmp_path: Path, dataset: Dataset) -> None:
    space = {"knn_k": {"choices": [5, 1000]}}
    search(tmp_path, None, sampler="grid", space=space, base=SMALL, dataset=dataset, worker=TrialWorker(dataset))
    good, bad = load_study(tmp_path / "tiny").trials
    assert (good.state, bad.state) == ("complete", "failed")
    assert bad.failure is not None
    assert bad.failure["kind"] == "error"
    assert "1000" in bad.failure["message"]
    assert bad.record["trial"]["attempts"] == 1


def test_a_learning_rate_that_explodes_is_a_diverged_trial(tmp_path: Path, dataset: Dataset) -> None:
    space = {"learning_rate": {"choices": [1e-3, 1e30]}}
    search(tmp_path, None, sampler="grid", space=space, base=SMALL, dataset=dataset, worker=TrialWorker(dataset))
    good, bad = load_study(tmp_path / "tiny").trials
    assert (good.state, bad.state) == ("complete", "failed")
    assert bad.failure is not None
    assert bad.failure["kind"] == "diverged"


def test_a_final_run_that_diverges_is_recorded_and_not_tried_again(tmp_path: Path, dataset: Dataset) -> None:
    broken = Run(SMALL.override(learning_rate=1e30), 1, tmp_path / "seed-1", "finalist", extra={"arm": "x"})
    for expected in (False, True):
        assert broken.is_done(dataset) is expected
        source = FixedRuns([broken], dataset=dataset, emit=silent)
        drive(source, InProcessExecutor(TrialWorker(dataset)), emit=silent, stop=StopRequest())
    assert broken.is_done(random_dataset(seed=5)) is False, "other data"

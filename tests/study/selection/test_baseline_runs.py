"""Baselines are runs like any other: driven, recorded, tested once with a receipt, and not repeated."""

import json
from pathlib import Path

import pytest
import torch

from sea_core.config import Config
from sea_core.data.catalogue import load_dataset
from sea_core.interrupts import StopRequest
from sea_core.models.scoring import recorded_scorer
from sea_core.run_folder import RECEIPT, read_run_folder
from study.records.folder import StudyFolder
from study.running.driver import drive
from study.running.executors.in_process import InProcessExecutor
from study.running.fixed_runs import FixedRuns
from study.running.worker import TrialWorker
from study.selection.baseline_runs import baseline_runs

BASE = Config(valid_metric="recall@5")


def train(folder: StudyFolder, dataset):
    source = FixedRuns(
        baseline_runs(folder, dataset, base=BASE, seed=7, seeds=[7]), dataset=dataset, emit=lambda event: None
    )
    drive(source, InProcessExecutor(TrialWorker(dataset)), emit=lambda event: None, stop=StopRequest())


def test_every_baseline_leaves_a_record_history_and_a_receipt_and_is_not_repeated(tmp_path: Path) -> None:
    folder, dataset = StudyFolder(tmp_path / "s"), load_dataset("synthetic:users=40,items=30,interactions=8,dims=8/6")
    train(folder, dataset)
    for name in ("popularity", "item-knn"):
        run = read_run_folder(folder.baseline(name))
        assert run.record["baseline"] == run.config.model == name
        assert "recall@5" in run.read_validation().values
        assert len(run.read_history()) == 1
        test = run.read_test()
        assert test is not None
        assert test.means().keys() == run.read_validation().means().keys()
    train(folder, dataset)
    receipts = json.loads((folder.baseline("item-knn") / RECEIPT).read_text())
    assert [receipt["subject"]["model"] for receipt in receipts] == ["item-knn"]


def test_a_baseline_of_an_earlier_version_is_kept(tmp_path: Path) -> None:
    folder, dataset = StudyFolder(tmp_path / "s"), load_dataset("synthetic:users=40,items=30,interactions=8,dims=8/6")
    train(folder, dataset)
    path = folder.baseline("popularity") / "record.json"
    old = {
        key: value
        for key, value in json.loads(path.read_text()).items()
        if key not in ("config", "config_hash", "seed")
    }
    path.write_text(json.dumps(old))
    assert [run.config.model for run in baseline_runs(folder, dataset, base=BASE, seed=7, seeds=[7])] == ["item-knn"]
    other = load_dataset("synthetic:users=41,items=30,interactions=8,dims=8/6")
    assert len(baseline_runs(folder, other, base=BASE, seed=7, seeds=[7])) == 2


def test_a_trained_run_without_embeddings_has_no_scorer() -> None:
    dataset = load_dataset("synthetic:users=40,items=30,interactions=8,dims=8/6")
    with pytest.raises(ValueError, match="the run of bpr kept no embeddings"):
        recorded_scorer(Config.from_mapping({"model": "bpr"}), dataset, None)
    scorer = recorded_scorer(Config.from_mapping({"model": "popularity"}), dataset, None)
    assert scorer(torch.tensor([1, 2])).shape == (2, dataset.items)

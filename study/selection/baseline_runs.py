"""The simplest methods, evaluated beside every winner: a table without them says little."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.evaluation.full_ranking import evaluate
from sea_core.files import write_json
from sea_core.holdout import open_test
from sea_core.models.item_knn import ItemKNN
from sea_core.models.popularity import Popularity
from sea_core.run_folder import RECEIPT, RECORD, SCHEMA_VERSION, TEST, VALIDATION, read_run_folder, write_user_metrics
from study.records.folder import StudyFolder
from study.running.events import Emit, Note


def run_baselines(folder: StudyFolder, dataset: Dataset, *, ks: Sequence[int], emit: Emit) -> None:
    """Evaluate every baseline on validation and test, except where a record for these data and ``ks`` is there."""
    for model in (Popularity, ItemKNN):
        name, config = model.name, Config.from_mapping({"model": model.name})
        target = folder.baseline(name)
        parameters = {"neighbours": config.knn_k, "shrink": config.shrink} if model is ItemKNN else {}
        subject = {"baseline": name, **parameters}
        own = {"baseline": name, "parameters": parameters, "data_hash": dataset.data_hash}
        try:
            record = read_run_folder(target).record
            measured = all(f"recall@{k}" in record["validation"] for k in ks)
            if json.loads(json.dumps(own)).items() <= dict(record).items() and (target / TEST).exists() and measured:
                continue
        except UserError:
            pass
        target.mkdir(parents=True, exist_ok=True)
        started = time.perf_counter()
        inputs = model.prepare(config, dataset, device="cpu")
        scorer = model.build(config, dataset, inputs, seed=0).scorer(inputs)
        validation = evaluate(scorer, train=dataset.train_matrix, relevant=dataset.valid, ks=ks)
        test = open_test(dataset, scorer, subject=subject, seed=None, receipt=target / RECEIPT, ks=ks)
        write_user_metrics(target / VALIDATION, validation)
        write_user_metrics(target / TEST, test)
        record = {
            "schema_version": SCHEMA_VERSION,
            **own,
            "dataset": dataset.name,
            "split_hash": dataset.split_hash,
            **dataset.split_record,
            "validation": validation.means(),
            "seconds": time.perf_counter() - started,
        }
        write_json(target / RECORD, record)
        emit(Note(f"baseline {name}: test recall@20 {test.means()['recall@20']:.4f}"))

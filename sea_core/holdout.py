"""The one place that reads test interactions. Nothing that trains, searches or selects may import this module."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from sea_core.config import Config
from sea_core.data.catalogue import of_training_users, reopen
from sea_core.data.dataset import Dataset, Interactions
from sea_core.errors import UserError
from sea_core.evaluation.full_ranking import Scorer, evaluate
from sea_core.evaluation.user_metrics import UserMetrics
from sea_core.hashing import hash_arrays
from sea_core.receipts import SCHEMA_VERSION, append_receipt


def open_test(
    dataset: Dataset,
    scorer: Scorer,
    *,
    subject: Mapping[str, Any],
    seed: int | None,
    receipt: Path,
    ks: Sequence[int] = (10, 20),
) -> UserMetrics:
    """Evaluate a frozen scorer on the test split and leave a receipt of it.

    Training items are masked, validation items are not. The receipt is written before anything is computed, so that no
    number exists without one; opening the same thing twice leaves two.

    Args:
        dataset: what was trained on; its test rows are read again from its source.
        scorer: takes users and returns scores on the CPU.
        subject: what is evaluated: a config's ``as_dict()``, or a baseline's name and parameters. Plain JSON values.
        seed: seed of the training run; None for what has none.
        receipt: the file to append to, created if missing.
        ks: cut-offs.

    Raises:
        UserError: the data changed since training, or the receipt cannot be written; the test split stays closed.
        NonFiniteScoresError: a score is NaN or infinite.
    """
    test = _load_test_rows(dataset)
    append_receipt(
        receipt,
        {
            "schema_version": SCHEMA_VERSION,
            "subject": dict(subject),
            "subject_hash": hash_subject(subject),
            "seed": seed,
            "dataset": dataset.name,
            "data_hash": dataset.data_hash,
            "split_hash": dataset.split_hash,
            "test_hash": hash_arrays({"test": np.stack([test.user, test.item])}),
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    )
    return evaluate(scorer, train=dataset.train_matrix, relevant=test, ks=ks)


def hash_subject(subject: Mapping[str, Any]) -> str:
    """``Config.hash()`` of a config's ``as_dict()``; of anything else 16 hex digits over its JSON."""
    if "model" in subject:
        return Config(**subject).hash()
    return hashlib.sha256(json.dumps(dict(subject)).encode()).hexdigest()[:16]


def _load_test_rows(dataset: Dataset) -> Interactions:
    """Read a dataset's test rows again, of users with training rows.

    Raises:
        UserError: the data are gone or no longer those that were trained on.
    """
    splits = reopen(dataset)
    same = Dataset("", "", splits.users, splits.items, splits.train, of_training_users(splits.valid, splits), {})
    if same.split_hash != dataset.split_hash:
        raise UserError(f"{dataset.source}: the data changed since they were loaded; train again on what is there now")
    return of_training_users(splits.test, splits)

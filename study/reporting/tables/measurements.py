"""Test results of one or more studies in one frame, after checking that they may stand side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from sea_core.errors import UserError
from sea_core.receipts import check_receipt, read_receipts
from sea_core.run_folder import RECEIPT
from study.analysis.metrics import HEADLINE
from study.records.study import RunRecord, Study

BASELINE_TITLES = {"popularity": "Popularity", "item-knn": "Item-kNN"}


def measurements(studies: Sequence[Study]) -> pd.DataFrame:
    """One line per run and metric on the test split.

    Columns: ``study``, ``dataset``, ``kind`` (``baseline``, ``winner`` or ``arm``), ``name``, ``title``, ``mode``,
    ``seed``, ``metric``, ``value`` (mean over users).

    Raises:
        UserError: two studies of one dataset were run on different data, or a test result lacks its receipt.
    """
    check_comparable(studies)
    lines = []
    for study in studies:
        for kind, name, title, record in _tested(study):
            if record.test is not None:
                receipt = record.folder / RECEIPT
                check_receipt(record.record, read_receipts(receipt)[-1], source=str(receipt))
                run = (study.name, study.dataset, kind, name, title, record.mode, record.seed)
                lines += [(*run, metric, value) for metric, value in record.test.means().items()]
    columns = ["study", "dataset", "kind", "name", "title", "mode", "seed", "metric", "value"]
    return pd.DataFrame(lines, columns=columns)


def check_comparable(studies: Sequence[Study]) -> None:
    """Refuse to put results side by side that were measured on different data.

    Rows of one dataset must share the split; rows with the same modalities, transformed alike, the features too.

    Raises:
        UserError: they do not; both folders are named.
    """
    first: dict[tuple[str, ...], RunRecord] = {}
    for study in studies:
        for _, _, _, record in _tested(study):
            config = record.record.get("config") or {}
            features = (str(config.get("modalities")), str(config.get("feature_transform")))
            keys = {"split_hash": (record.dataset,), "data_hash": (record.dataset, *features)}
            for name, key in keys.items():
                other = first.setdefault((name, *key), record)
                mine, theirs = getattr(record, name), getattr(other, name)
                if mine != theirs:
                    raise UserError(
                        f"{other.folder} and {record.folder} were run on different data ({name} {theirs} and {mine}), "
                        "so one table cannot hold both; run one of them again, or make a table of each"
                    )


def shown_metrics(frame: pd.DataFrame) -> list[str]:
    """The headline metrics that were measured, or all if none of them was."""
    present = list(dict.fromkeys(frame["metric"]))
    return [metric for metric in HEADLINE if metric in present] or present


def _tested(study: Study) -> Iterator[tuple[str, str, str, RunRecord]]:
    """Runs that belong in a table of test results: kind, name, title and record."""
    for record in study.baselines:
        name = record.baseline or record.folder.name
        yield "baseline", name, BASELINE_TITLES.get(name, name), record
    for record in study.winner:
        yield "winner", "SEA", "SEA", record
    for record in study.ablations:
        name = record.arm or record.folder.parent.name
        yield "arm", name, str(record.record.get("arm_title", name)), record

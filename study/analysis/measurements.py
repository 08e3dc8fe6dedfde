"""Test results of one or more studies, run by run, after checking that they may stand side by side."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import pandas as pd

from sea_core.errors import UserError
from sea_core.receipts import check_receipt, read_receipts
from sea_core.run_folder import RECEIPT
from study.analysis.protocols import check_one_protocol
from study.records.imported import MARK
from study.records.study import RunRecord, Study

BASELINE_TITLES = {"popularity": "Popularity", "item-knn": "Item-kNN"}
Key = TypeVar("Key", bound=Hashable)


class Measurement(NamedTuple):
    """One run's result on the test split by one metric.

    Attributes:
        kind: ``baseline``, ``imported``, ``default``, ``winner``, ``arm`` or ``placebo``.
        name, title: of the method or arm, in records and for people.
        mode: ``frozen`` or ``retuned`` of an arm, ``placebo`` of a copy of the full model, else None.
        seed: of a baseline, which has none, that of the split if there are several, else None.
        value: mean over users.
    """

    study: str
    dataset: str
    kind: str
    name: str
    title: str
    mode: str | None
    seed: int | None
    metric: str
    value: float


class Spread(NamedTuple):
    """Mean and standard deviation of ``number`` values; the latter is NaN of one."""

    mean: float
    sd: float
    number: int


def measure_study(study: Study) -> list[Measurement]:
    """Every run and metric on the test split, in the order of records.

    Raises:
        UserError: a test result lacks its receipt.
    """
    measured = []
    for kind, name, title, record in _tested(study):
        if record.test is not None:
            if kind != "imported":  # which opened nothing here
                require_receipt(record)
            # Nothing in a baseline depends on its seed, but on the split where there are several.
            seed = record.split_seed if kind == "baseline" else record.seed
            run = (study.name, study.dataset, kind, name, title, record.mode, seed)
            measured += [Measurement(*run, metric, value) for metric, value in record.test.means().items()]
    return measured


def require_receipt(run: RunRecord) -> None:
    """Refuse a test result whose opening was not recorded.

    Raises:
        UserError: the receipt is missing, unreadable, or of another run.
    """
    receipt = run.folder / RECEIPT
    check_receipt(run.record, read_receipts(receipt)[-1], source=str(receipt))


def default_title(study: Study) -> str:
    """What a study's base configuration is called beside its winner."""
    return f"{study.model_title} (default)"


def tuned_title(study: Study) -> str:
    """What a study's winner is called; the model's title alone where no default stands beside it."""
    return f"{study.model_title} (tuned)" if study.default else study.model_title


def imported_name(record: RunRecord) -> str:
    """What comparisons call imported results: no arm or baseline can have this name."""
    return f"imported:{record.record['imported']['name']}"


def imported_title(record: RunRecord) -> str:
    """The row's title, marked."""
    return f"{record.record['imported']['title']} {MARK}"


def imported_notes(study: Study) -> list[str]:
    """What stands below a table with imported rows."""
    about = {imported_title(run): run.record["imported"] for run in study.imported}
    paired = "Not trained here; its n-th seed stands beside the n-th of this study."
    return [f"{title} Imported from {each['file']}: {each['why']} {paired}" for title, each in about.items()]


def check_comparable(studies: Sequence[Study]) -> None:
    """Refuse to put results side by side that were measured on different data.

    Rows of one dataset must share the split, those of other splits of it that of their split's seed; rows with the same
    modalities, transformed alike, the features too.

    Raises:
        UserError: they do not, or were split by different protocols; both folders are named.
    """
    check_one_protocol(studies)
    first: dict[tuple[str, ...], RunRecord] = {}
    for study in studies:
        for kind, _, _, record in _tested(study):
            config = record.record.get("config") or {}
            features = (str(config.get("modalities")), str(config.get("feature_transform")))
            scheme = first.setdefault(("splits", record.dataset), record)
            if (scheme.split_seed is None) != (record.split_seed is None):
                raise UserError(
                    f"{scheme.folder} and {record.folder} were not run on the same splits (--split-seeds), so one "
                    "table cannot hold both; make a table of each"
                )
            rows = (record.dataset, str(record.split_seed))
            keys = {"split_hash": rows, "data_hash": (*rows, *features)}
            if kind == "imported":  # with features that nobody here knows
                del keys["data_hash"]
            for name, key in keys.items():
                other = first.setdefault((name, *key), record)
                mine, theirs = getattr(record, name), getattr(other, name)
                if mine != theirs:
                    raise UserError(
                        f"{other.folder} and {record.folder} were run on different data ({name} {theirs} and {mine}), "
                        "so one table cannot hold both; run one of them again, or make a table of each"
                    )


def shown_metrics(measured: Iterable[Measurement], wanted: Sequence[str]) -> list[str]:
    """Those of ``wanted`` that every study measured, in its order; all that every study did if none of them was."""
    by_study: dict[str, dict[str, None]] = {}
    for line in measured:
        by_study.setdefault(line.study, {})[line.metric] = None
    first, *others = by_study.values() or [{}]
    present = [metric for metric in first if all(metric in other for other in others)]
    return [metric for metric in dict.fromkeys(wanted) if metric in present] or present


def spread_by(values: Sequence[tuple[Key, float]]) -> dict[Key, Spread]:
    """Mean and sd of the values of each key, keys in the order of their first values."""
    if not values:
        return {}
    places = {key: place for place, key in enumerate(dict.fromkeys(key for key, _ in values))}
    column = pd.Series([value for _, value in values], dtype="float64")
    # Pandas sums with compensation, and records are compared to the last bit: keep one way of averaging.
    table = column.groupby([places[key] for key, _ in values]).agg(["mean", "std", "count"])
    return {key: Spread(float(m), float(s), int(n)) for key, (m, s, n) in zip(places, table.to_numpy(), strict=True)}


def _tested(study: Study) -> Iterator[tuple[str, str, str, RunRecord]]:
    """Runs that belong in a table of test results: kind, name, title and record."""
    for record in study.baselines:
        name = record.baseline or record.folder.name
        yield "baseline", name, BASELINE_TITLES.get(name, name), record
    for record in study.imported:
        yield "imported", imported_name(record), imported_title(record), record
    for record in study.default:
        yield "default", default_title(study), default_title(study), record
    for record in study.winner:
        yield "winner", study.model_title, tuned_title(study), record
    for record in [*study.ablations, *study.repeated]:
        name = record.arm or record.folder.parent.name
        yield "arm", name, str(record.record.get("arm_title", name)), record
    for record in study.placebos:
        name = record.arm or record.folder.parent.name
        yield "placebo", name, str(record.record.get("arm_title", name)), record

"""Training a recorded run again and comparing, quantity by quantity, until the first that differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from sea_core.data.catalogue import with_other_splits
from sea_core.data.dataset import Dataset
from sea_core.data.modalities import only_modalities
from sea_core.errors import UserError
from sea_core.provenance import machine, versions
from sea_core.run_folder import RECORD
from sea_core.training.run import EpochReport, TrainingRun
from study.records.study import RunRecord

_CLOCK = ("epoch", "seconds")
_COMPARED = ("init_hashes", "draw_hashes", "best_epoch", "weights_hash")


class DamagedRecordError(UserError):
    """A record does not say what its run needs to be trained again and compared."""


class Divergence(NamedTuple):
    """The first quantity that a repetition does not reproduce."""

    where: str
    recorded: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.where}: recorded {self.recorded!r}, found {self.found!r}"


def verify(
    record: RunRecord, dataset: Dataset, *, device: str, on_epoch: Callable[[EpochReport], None] = lambda report: None
) -> Divergence | None:
    """Train a record's run again, as many epochs as it has, and compare.

    Initial weights, batches and negatives are compared first, then every epoch's losses and validation metrics, then
    the per-user metrics of the best epoch and the final weights. Set torch's threads to the record's before.

    Returns:
        The first difference, or None if the record is reproduced to the bit.

    Raises:
        UserError: the record holds no finished epoch or lacks what is compared, or the data are others than it was
            made with.
    """
    history = record.history
    if history is None or record.seed is None:
        raise UserError(f"{record.folder} holds no trained run: nothing to replay")
    if record.split_seed is not None:
        dataset = with_other_splits(dataset, {record.seed: record.split_seed}).for_seed(record.seed)
    used = only_modalities(dataset, record.config)
    if used.data_hash != record.data_hash:
        raise UserError(f"the data are not those of the record: data_hash {record.data_hash}, found {used.data_hash}")
    made = {name: stated(record, name) for name in _COMPARED}  # before hours are spent
    run = TrainingRun(record.config, used, seed=record.seed, device=device)
    return next(_differences(made, record, history, run, on_epoch), None)


def stated(record: RunRecord, name: str) -> Any:
    """What a record says, without which its run cannot be trained again and compared.

    Raises:
        DamagedRecordError: it does not say it.
    """
    if name not in record.record:
        raise DamagedRecordError(
            f"{record.folder / RECORD} does not say {name}, so the run cannot be trained again as it was; the record "
            "is damaged: take another run, or make this one anew"
        )
    return record.record[name]


def surroundings(record: RunRecord, device: str) -> list[str]:
    """What differs from where the record was made, and so may change bits."""
    mine = {"device": device, **{f"{name} version": each for name, each in versions().items()}}
    mine |= {name: machine()[name] for name in ("cpu", "capability")}
    made = {name: stated(record, name) for name in ("device", "versions", "machine")}
    theirs = {"device": made["device"], **{f"{name} version": each for name, each in made["versions"].items()}}
    theirs |= {name: made["machine"].get(name) for name in ("cpu", "capability")}
    return [f"{name}: {theirs.get(name)} then, {mine[name]} now" for name in mine if theirs.get(name) != mine[name]]


def _differences(
    made: Mapping[str, Any],
    record: RunRecord,
    history: pd.DataFrame,
    run: TrainingRun,
    on_epoch: Callable[[EpochReport], None],
) -> Iterator[Divergence]:
    yield from _compare("initial weights of", made["init_hashes"], run.init_hashes)
    yield from _compare("first epoch's", made["draw_hashes"], run.draw_hashes())
    for row in history.to_dict("records"):
        report = run.advance()
        on_epoch(report)
        actual = {**report.losses, **report.validation}
        expected = {str(name): value for name, value in row.items() if name not in _CLOCK}
        yield from _compare(f"epoch {report.epoch},", expected, actual)
    yield from _compare("", {"best epoch": made["best_epoch"]}, {"best epoch": run.best.epoch})
    if record.validation is not None:
        yield from _compare(
            "best epoch's per-user", _lists(record.validation.values), _lists(run.best.validation.values)
        )
    yield from _compare("", {"final weights": made["weights_hash"]}, {"final weights": run.weights_hash()})


def _compare(where: str, recorded: Mapping[str, Any], actual: Mapping[str, Any]) -> Iterator[Divergence]:
    for name in [*recorded, *(name for name in actual if name not in recorded)]:
        if recorded.get(name) != actual.get(name):
            yield Divergence(f"{where} {name}".strip(), recorded.get(name), actual.get(name))


def _lists(values: Mapping[str, Any]) -> dict[str, list[float]]:
    return {name: each.tolist() for name, each in values.items()}

"""``python -m sea_core train``: one run, with progress, a record, and on request the test split."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sea_core.errors import INTERRUPTED, UserError
from sea_core.options import SHARED, Option, add_options, option
from sea_core.project import default_results
from sea_core.strict_yaml import parse_assignments
from sea_core.train_request import TrainRequest

if TYPE_CHECKING:
    from sea_core.config import Config
    from sea_core.training.run import EpochReport, TrainingRun

CHECKPOINT = "checkpoint.safetensors"


OPTIONS: dict[str, Option] = SHARED | dict(
    [
        option(
            "--out",
            text="run folder to write",
            type=Path,
            metavar="DIR",
            unless="results/train/<dataset>-<config hash>-<seed>",
        ),
        option("--test", text="open the test split at the end and leave a receipt", action="store_true"),
        option("--json", text="end with one line of JSON", action="store_true"),
    ]
)
NAMES = [
    *("--dataset", "--data-root", "--model", "--preset", "--config", "--set", "--epochs", "--metrics", "--seed"),
    *("--device", "--threads", "--out", "--test", "--json", "--quiet"),
]


def add_train_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the ``train`` command."""
    parser = subparsers.add_parser(
        "train",
        help="train once and evaluate",
        description="Train a model once with one config and seed. The best epoch is chosen on validation; the test "
        "split stays closed unless --test is given. The same command again continues an interrupted run.",
    )
    add_options(parser, TrainRequest, OPTIONS, NAMES)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command line; returns the exit code."""
    given = vars(arguments)
    fields = {each.name for each in dataclasses.fields(TrainRequest)}
    values = {name: value for name, value in given.items() if name in fields}
    values["settings"] = parse_assignments(given.get("settings", []))
    return train(TrainRequest(**values), as_json="json" in given, quiet="quiet" in given)


def train(request: TrainRequest, *, as_json: bool = False, quiet: bool = False) -> int:
    """Train, print the metrics, and leave a run folder.

    Args:
        request: what to train.
        as_json: end with one line of JSON.
        quiet: no progress.

    Returns:
        The exit code: 0, or ``INTERRUPTED`` after Ctrl-C.

    Raises:
        UserError: faulty data, config or folder, or a folder with another run.
        DivergedError: a loss became infinite.
    """
    # Torch takes a second to import, which --help and mistyped options need not wait for.
    import torch

    from sea_core.config_files import build_config
    from sea_core.data.catalogue import load_dataset
    from sea_core.device import check_device
    from sea_core.holdout import open_test
    from sea_core.interrupts import graceful_stop
    from sea_core.models.registry import find_model
    from sea_core.run_folder import RECEIPT, TEST, read_run_folder, write_run_folder, write_user_metrics
    from sea_core.thread_rule import threads_that_pay
    from sea_core.training.loop import Stopped, train_to_end
    from sea_core.training.run import TrainingRun

    own = {"model": request.model, "epochs": request.epochs, "metrics": request.metrics}
    config = build_config(request.preset, request.config, request.settings, own)
    device = check_device(request.device)
    if request.threads is not None:
        torch.set_num_threads(request.threads)
    dataset = load_dataset(
        request.dataset,
        data_root=request.data_root,
        modalities=config.modalities,
        feature_transform=config.feature_transform,
    )
    if request.threads is None and device == "cpu" and (threads := threads_that_pay(dataset)) is not None:
        torch.set_num_threads(threads)
    folder = request.out or default_results() / "train" / f"{dataset.name}-{config.hash()[:8]}-{request.seed}"
    _refuse_another_run(folder, config, request.seed, dataset.data_hash)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot create {folder}: {error.strerror}; choose another --out") from error
    for note in dataset.notes:
        print(f"note: {note}", file=sys.stderr)

    show = (lambda run, report: None) if quiet else _Progress(config.epochs if find_model(config.model).trains else 1)
    with graceful_stop() as stop:
        try:
            run = train_to_end(
                lambda: TrainingRun(config, dataset, seed=request.seed, device=device),
                checkpoint=folder / CHECKPOINT,
                stop=stop,
                on_epoch=show,
            )
        except Stopped:
            print("stopped; the same command continues from here", file=sys.stderr)
            return INTERRUPTED
    record = write_run_folder(folder, run, keep_embeddings=True)
    test: dict[str, float] | None = None
    if request.test:
        subject, receipt = config.as_dict(), folder / RECEIPT
        metrics = open_test(dataset, run.scorer(), subject=subject, seed=run.seed, receipt=receipt, ks=config.ks)
        write_user_metrics(folder / TEST, metrics)
        test = metrics.means()
    elif (folder / TEST).exists():
        opened = read_run_folder(folder).read_test()
        test = None if opened is None else opened.means()

    _print_metrics(record["validation"], test, best_epoch=record["best_epoch"], epochs=record["epochs"])
    print(f"record: {folder}")
    if as_json:
        keys = ("seed", "best_epoch", "epochs", "seconds", "validation")
        print(json.dumps({key: record[key] for key in keys} | ({} if test is None else {"test": test})))
    return 0


def _refuse_another_run(folder: Path, config: Config, seed: int, data_hash: str) -> None:
    """Never write over the record of a different run."""
    from sea_core.run_folder import RECORD, read_run_folder

    if not (folder / RECORD).exists():
        return
    if differences := read_run_folder(folder).differences(config, seed=seed, data_hash=data_hash):
        raise UserError(f"{folder} holds another run ({'; '.join(differences)}); choose another --out")


class _Progress:
    """One line an epoch: rewritten in place on a terminal, and only now and then in a log."""

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        self._live = sys.stderr.isatty()

    def __call__(self, run: TrainingRun, report: EpochReport) -> None:
        watched = run.config.valid_metric
        loss = f"loss {report.losses['total']:.4f}  " if report.losses else ""  # none where nothing is trained
        line = (
            f"epoch {report.epoch + 1}/{self._epochs}  {loss}"
            f"valid {watched} {report.validation[watched]:.4f}  best {run.best.validation.means()[watched]:.4f} "
            f"(epoch {run.best.epoch})  {report.seconds:.2f} s"
        )
        if self._live:
            print(f"\r\x1b[2K{line}", end="\n" if run.finished else "", file=sys.stderr, flush=True)
        elif report.epoch % 10 == 0 or run.finished:
            print(line, file=sys.stderr, flush=True)


def _print_metrics(
    validation: dict[str, float], test: dict[str, float] | None, *, best_epoch: int, epochs: int
) -> None:
    rows: list[tuple[str, Any]] = [("validation", validation), *([("test", test)] if test is not None else [])]
    print(f"best epoch {best_epoch} of {epochs} run (counted from 0)")
    print(f"{'':<12}" + "".join(f"{name:>14}" for name in validation))
    for name, metrics in rows:
        print(f"{name:<12}" + "".join(f"{value:>14.4f}" for value in metrics.values()))

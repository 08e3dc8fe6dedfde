"""Program: train a recorded run again and see whether it comes out the same. ``python study/replay.py STUDY TRIAL``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from sea_core.errors import UserError, run_program
from sea_core.options import Parser
from sea_core.project import default_data


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 if every epoch and the final weights are reproduced to the bit, else 1."""
    parser = Parser(
        prog="replay.py",
        description="Train a recorded run again, with its config, seed and number of threads, and compare every "
        "epoch's losses and metrics and the final weights. The first difference is named. Nothing is written.",
        epilog="examples: replay.py results/lfm2k-search 7    replay.py results/lfm2k-search final/winner/seed-12345",
    )
    parser.add_argument("study", type=Path, help="study folder: results/lfm2k-search")
    parser.add_argument("trial", help="a trial's number, or a run folder inside the study")
    parser.add_argument("-d", "--dataset", help="where the data are now (default: where the study found them)")
    parser.add_argument(
        "--data-root", type=Path, default=default_data(), help="where named dataset folders lie (default: data)"
    )
    parser.add_argument("--device", help="cpu, cuda or cuda:N (default: the record's)")
    options = parser.parse_args(arguments)
    # Torch takes a second to import, which --help and mistyped options need not wait for.
    import torch

    from sea_core.data.catalogue import load_dataset
    from sea_core.device import check_device
    from sea_core.working import working
    from study.records.durations import duration
    from study.records.study import load_study
    from study.verification.verify import surroundings, verify

    study = load_study(options.study)
    folder = study.folder.trial(int(options.trial)) if options.trial.isdecimal() else options.study / options.trial
    record = next(
        (each for each in [*study.all_records(), *study.trial_seeds] if each.folder == folder.resolve()), None
    )
    if record is None:
        raise UserError(
            f"{options.study} holds no run '{options.trial}'; give a trial's number, or final/winner/seed-<n>"
        )
    source = options.dataset or (study.spec.source if study.spec else None) or record.dataset
    dataset = load_dataset(
        source,
        data_root=options.data_root,
        modalities=record.config.modalities,
        feature_transform=record.config.feature_transform,
    )
    device = check_device(options.device or str(record.record["device"]))
    torch.set_num_threads(int(record.record["threads"]))
    for line in surroundings(record, device):
        print(f"note: {line}; results may differ in their last digits")
    # A trial that was judged on several seeds is all of their runs.
    for run in [each for each in study.trial_seeds if each.folder.parent == record.folder] or [record]:
        with working(f"training {run.record['epochs']} epochs again, {duration(run.seconds)} the first time"):
            difference = verify(run, dataset, device=device)
        if difference is not None:
            print(f"{run.folder}: first difference at {difference}")
            return 1
        print(f"{run.folder}: reproduced to the bit, {run.record['epochs']} epochs and the final weights")
    return 0


if __name__ == "__main__":
    sys.exit(run_program(main))

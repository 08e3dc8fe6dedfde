"""Program: train a recorded run again and see whether it comes out the same. ``python study/replay.py STUDY TRIAL``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from sea_core.errors import run_program
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
    from study.records.study import load_study
    from study.verification.replay import data_of, differences_of_place, find_run, replay

    study = load_study(options.study)
    record = find_run(study, options.trial)
    dataset = data_of(study, record, dataset=options.dataset, data_root=options.data_root)
    for line in differences_of_place(record, options.device):
        print(f"note: {line}; results may differ in their last digits")
    for replayed in replay(study, record, dataset, device=options.device):
        print(replayed)
        if replayed.difference is not None:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(run_program(main))

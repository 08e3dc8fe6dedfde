"""Program: a study as one file to attach to a paper, and its check. ``python study/bundle.py results/<study>``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sea_core.errors import UserError, run_program
from sea_core.options import Parser
from sea_core.project import default_data

EPILOG = """\
examples:
  bundle.py results/lfm2k-search                              writes results/lfm2k-search-bundle.zip
  bundle.py --verify lfm2k-search-bundle.zip --data-root data
  bundle.py --verify lfm2k-search-bundle.zip --run final/winner/seed-12345

--verify checks the hash of every file, computes every table from the records again, and trains one run, chosen at
random, again to the last bit. Exit code 0 if all of it holds, 1 if something differs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a bundle, or check one."""
    parser = Parser(
        prog="bundle.py",
        description="Bundle a finished study: records, configs, tables, report, environment, data fingerprints,\n"
        "commands, a reproducibility checklist, and RO-Crate metadata. Or check a bundle.",
        epilog=EPILOG,
    )
    parser.add_argument("study", nargs="?", type=Path, metavar="STUDY", help="study folder: results/lfm2k-search")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the zip file (default: <STUDY>-bundle.zip)")
    parser.add_argument("--verify", type=Path, metavar="BUNDLE", help="check a bundle instead")
    parser.add_argument("-d", "--dataset", help="with --verify: where the data are now (default: as the study says)")
    parser.add_argument(
        "--data-root", type=Path, default=default_data(), help="where named dataset folders lie (default: data)"
    )
    parser.add_argument("--run", metavar="RUN", help="with --verify: train this run again (default: one at random)")
    parser.add_argument("--no-replay", action="store_true", help="with --verify: train nothing")
    options = parser.parse_args(arguments)
    if (options.study is None) == (options.verify is None):
        raise UserError("give a study to bundle, or a bundle to check: bundle.py STUDY, or bundle.py --verify BUNDLE")
    if options.verify is None:
        _refuse(
            options,
            "belongs to --verify; leave it out, or check a bundle: --verify BUNDLE",
            "dataset",
            "run",
            "no_replay",
        )
    else:
        _refuse(options, "names the file of a new bundle, and --verify writes none; leave one of them out", "out")
    if options.no_replay and options.run is not None:
        raise UserError("--run names what to train again and --no-replay trains nothing; keep one of them")
    # Torch takes a second to import, which --help and mistyped options need not wait for.
    from study.api.bundles import check_bundle, make_bundle

    if options.verify is None:
        made = make_bundle(options.study, out=options.out)
        print(f"{made} ({made.stat().st_size / 1e6:.1f} MB)")
        return 0
    run = options.run or ("" if options.no_replay else None)
    return 0 if check_bundle(options.verify, dataset=options.dataset, data_root=options.data_root, run=run) else 1


def _refuse(options: argparse.Namespace, why: str, *names: str) -> None:
    """Refuse options that would be passed over."""
    for name in names:
        if getattr(options, name):
            raise UserError(f"--{name.replace('_', '-')} {why}")


if __name__ == "__main__":
    sys.exit(run_program(main))

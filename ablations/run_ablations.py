"""Program: train the arms of an ablation and compare them. ``python ablations/run_ablations.py -d DATASET``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sea_core.errors import INTERRUPTED, UserError, run_program

if TYPE_CHECKING:
    from study.ablation.plan import Mode
    from study.ablation.setup import Ablation

EPILOG = """\
examples:
  run_ablations.py -d synthetic                               the four arms on three seeds
  run_ablations.py --from-study lfm2k-search --suite paper    with the config that a search chose
  run_ablations.py --from-study a-search --from-study b-search --mode both       two datasets, and tables over both
  run_ablations.py -d lfm2k --arms no-club my-arm.yaml        an arm of your own: copy a file of ablations/arms

Differences are paired: every arm trains on the same seeds, and full is always among them. The same command again
continues; finished runs are not repeated. Each run opens the test split once and leaves a receipt of it."""


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="run_ablations.py",
        description="Train every arm of an ablation on the same seeds, test each run, and compare the\n"
        "arms with the full model in tables and figures.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("-d", "--dataset", action="append", help="a name, or the path of a folder; repeat it for several datasets")
    text = "take dataset, config and seeds from a finished study, and write there; repeat it for several studies"
    add("--from-study", action="append", metavar="NAME", help=text)
    add("--arms", nargs="+", metavar="ARM", help="names (--list), or paths of YAML files")
    add("--suite", help="a named list of arms (--list) in place of --arms (default: default)")
    add("--seeds", type=int, default=3, help="fresh seeds per arm, the same for all (default: 3)")
    text = "frozen: every arm has the full model's config (default); retuned: each has a search like the study's; both"
    add("--mode", choices=["frozen", "retuned", "both"], default="frozen", help=text)
    add("--preset", help="paper (default) or released: where the config starts")
    add("--config", type=Path, help="YAML file of config keys, over the preset")
    add("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="config keys, over preset and file")
    add("--epochs", type=int, help="most epochs of a run (default: the config's)")
    add("--seed", type=int, help="what the fresh seeds are derived from (default: 999)")
    add("--device", default="cpu", help="cpu, cuda or cuda:N (default: cpu)")
    add("--workers", type=int, default=1, metavar="N", help="runs at the same time; more than 1 are Ray actors")
    add("--threads", type=int, metavar="N", help="processor threads of a run; equal bits need equal threads")
    add("--gpus-per-worker", type=float, default=1.0, metavar="X", help="share of a GPU for each worker (default: 1)")
    add("--ray-address", metavar="ADDRESS", help="of a running Ray cluster (default: this machine)")
    add("--data-root", type=Path, default=Path("data"), help="where named dataset folders lie (default: data)")
    add("--out", type=Path, default=Path("results"), help="parent of study folders (default: results)")
    add("--study-name", metavar="NAME", help="folder in --out (default: <dataset>-ablations)")
    add("--dry-run", action="store_true", help="show arms, runs and an estimate of the time; train and write nothing")
    add("--list", action="store_true", help="list arms and suites, and stop")
    text = "who else hears of it: NAME, or NAME:TEXT (docs/listeners.md); repeat it for several (default: none)"
    add("--listener", action="append", default=[], metavar="NAME", help=text)
    add("--quiet", action="store_true", help="no progress")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the ablation of each dataset, then make the tables and figures."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    if options.list:
        return _list_arms()
    if not options.dataset and not options.from_study:
        parser.error("give -d DATASET, or --from-study NAME")
    # Torch takes a second or two to import, which --help and mistyped options need not wait for.
    import optuna

    from sea_core.interrupts import graceful_stop
    from sea_core.training.loop import Stopped
    from study.ablation.run import run_all
    from study.ablation.setup import describe
    from study.listeners.choose import check_listeners, listening
    from study.planning.study_plan import make_placement

    optuna.logging.set_verbosity(optuna.logging.ERROR)

    # Everything is planned before anything is trained: a mistake in the last must not cost the time of the others.
    placement = make_placement(options)
    placement.check()
    check_listeners(options.listener)
    ablations = _prepare(options)
    for ablation in ablations:
        print("\n".join(describe(ablation, device=options.device if options.dry_run else None)))
    if options.dry_run:
        return 0
    try:
        with graceful_stop() as stop:
            for ablation in ablations:
                with listening(options.listener, quiet=options.quiet) as emit:
                    run_all(ablation, placement, emit=emit, stop=stop)
    except Stopped:
        print("stopped after a finished epoch; the same command continues", file=sys.stderr)
        return INTERRUPTED
    folders = [ablation.folder.root for ablation in ablations]
    joint = options.out / (options.study_name or "ablations")
    _write_results(folders, joint if len(folders) > 1 else folders[0])
    return 0


def _prepare(options: argparse.Namespace) -> list[Ablation]:
    from sea_core.config_files import build_config
    from study.ablation.arms import load_arms, load_suite
    from study.ablation.setup import Choice, ablation_of_dataset, ablation_of_study

    if options.arms and options.suite:
        raise UserError("give either --arms or --suite, not both")
    names = [name for given in options.arms or [] for name in given.split(",") if name]
    arms = load_arms(names) if names else load_suite(options.suite or "default")
    modes: list[Mode] = ["frozen", "retuned"] if options.mode == "both" else [options.mode]
    choice = Choice(arms, options.seeds, is_suite=not names, modes=modes)
    places = {"out": options.out, "data_root": options.data_root}
    if options.from_study:
        own = {"--config": options.config, "--set": options.set, "--preset": options.preset, "--epochs": options.epochs}
        own |= {"--seed": options.seed, "--study-name": options.study_name}
        for option, value in own.items():
            if value not in (None, []):
                raise UserError(f"{option} cannot be combined with --from-study, which takes it from the study")
        if options.dataset and len(options.dataset) + len(options.from_study) > 2:
            raise UserError(
                f"-d says where one study's data are now, got {len(options.dataset)} datasets and "
                f"{len(options.from_study)} studies; leave it out, or run each study by itself"
            )
        dataset = options.dataset[0] if options.dataset else None
        return _distinct([ablation_of_study(name, choice, dataset=dataset, **places) for name in options.from_study])
    config = build_config(options.preset or "paper", options.config, options.set, {"epochs": options.epochs})
    seed = 999 if options.seed is None else options.seed
    name = options.study_name or "{dataset}-ablations"
    if len(options.dataset) > 1 and options.study_name:
        name += "-{dataset}"
    return _distinct(
        [ablation_of_dataset(dataset, config, choice, seed=seed, name=name, **places) for dataset in options.dataset]
    )


def _distinct(ablations: list[Ablation]) -> list[Ablation]:
    folders = [ablation.folder.root for ablation in ablations]
    if len(set(folders)) < len(folders):
        raise UserError(f"two ablations would share one folder: {', '.join(map(str, folders))}; run them one by one")
    return ablations


def _write_results(folders: Sequence[Path], joint: Path) -> None:
    from plots.lib.pictures import joint_pictures, study_pictures
    from study.records.study import load_study
    from study.reporting.page.write import write_report
    from study.reporting.tables.ablation import compute_frozen, compute_retuned
    from study.reporting.tables.render import to_text
    from study.reporting.tables.results import Results
    from study.reporting.tables.write import write_tables

    studies = [load_study(folder) for folder in folders]
    reports = []
    for folder, study in zip(folders, studies, strict=True):
        write_tables([folder], folder / "tables")
        reports.append(write_report([folder], folder, study_pictures(study, folder / "figures")))
    if joint not in folders:
        write_tables(folders, joint / "tables")
        reports.append(write_report(folders, joint, joint_pictures(studies, joint / "figures")))
    results = Results(studies)
    for table in (compute_frozen(results), compute_retuned(results)):
        print("" if table is None else f"\n{table.caption}\n{to_text(table)}")
    figures = [str(folder / "figures") for folder in {*folders, joint} if (folder / "figures").exists()]
    print("; ".join([f"tables: {joint / 'tables'}", *([f"figures: {', '.join(sorted(figures))}"] if figures else [])]))
    print(f"report: {', '.join(map(str, reports))}")


def _list_arms() -> int:
    from study.ablation.arms import load_suite
    from study.records.arm_names import ALL, suite_names

    for arm in load_suite(ALL):
        print(f"{arm.name:<20} {arm.title}: {arm.why}")
    for suite in suite_names():
        print(f"--suite {suite:<12} {', '.join(arm.name for arm in load_suite(suite))}")
    return 0


if __name__ == "__main__":
    sys.exit(run_program(main))

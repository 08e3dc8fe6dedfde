"""The command line of ``run_search.py``; each option says what it does, why one would use it, and its default."""

from __future__ import annotations

import argparse
from pathlib import Path

DESCRIPTION = """\
Search SEA's hyper-parameters on a dataset, re-train the winner on fresh seeds, open it on the test split once, compare
it with baselines and ablation arms, and leave tables and figures."""

EPILOG = """\
examples:
  run_search.py                                     the built-in synthetic data: a whole study in minutes
  run_search.py -d lfm2k --data-root data           a folder data/lfm2k in MMRec's format
  run_search.py -d lfm2k -d ml-100k --n-trials 50   two studies, then one table over both
  run_search.py --space sweep-temperature --sampler grid --no-finalize      one factor, every value

A study lies in <out>/<study-name>. The same command continues it after an interruption, or does nothing if all is done;
with a larger --n-trials it searches on. Trials are judged on validation only. The test split is opened for the winner,
re-trained on fresh seeds, and for the ablation arms and baselines beside it; each opening leaves a receipt."""


def make_parser() -> argparse.ArgumentParser:
    """The parser. It imports nothing heavy, so that ``--help`` is quick."""
    parser = argparse.ArgumentParser(
        prog="run_search.py",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_data(parser.add_argument_group("what to train on"))
    _add_search(parser.add_argument_group("what to search"))
    _add_model(parser.add_argument_group("what all trials share"))
    _add_final(parser.add_argument_group("what happens to the winner"))
    _add_place(parser.add_argument_group("where and how"))
    return parser


def _add_data(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    text = "a name (python -m sea_core data list) or a folder; repeat it for several studies (default: synthetic)"
    add("-d", "--dataset", action="append", metavar="NAME|PATH", help=text)
    text = "where named dataset folders lie (default: data)"
    add("--data-root", type=Path, default=Path("data"), metavar="DIR", help=text)


def _add_search(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    text = "a name in study/spaces, or a YAML file (default: default, nine hyper-parameters)"
    add("--space", default="default", metavar="NAME|FILE", help=text)
    text = "the study's total of complete, pruned and failed trials (default: 20; for a grid every cell)"
    add("--n-trials", type=int, metavar="N", help=text)
    text = "begin no trial after this time; those running are finished (default: no limit)"
    add("--timeout", type=float, metavar="SECONDS", help=text)
    text = (
        "who proposes trials: tpe and gp learn from earlier ones (gp is slower, and good for few trials), random and "
        "qmc do not (qmc covers the space more evenly), grid tries every cell in order (default: tpe)"
    )
    add("--sampler", choices=["tpe", "gp", "random", "qmc", "grid"], default="tpe", help=text)
    text = (
        "who stops hopeless trials: median compares with completed trials at the same epoch, patient does so but "
        "spares those that still improve, halving lets the better third of all trials on at growing distances, "
        "hyperband is halving that gives some trials a later first test (default: median; halving for several "
        "seeds, none for a grid)"
    )
    add("--pruner", choices=["median", "halving", "hyperband", "patient", "none"], help=text)
    text = (
        "judge a trial on the mean over up to K seeds instead of on one, which a lucky seed can win. The pruner then "
        "decides after each seed, not after each epoch, whether the next one is worth it, so that most trials cost "
        "one run and the best K (default: 1)"
    )
    add("--seeds-per-trial", type=int, default=1, metavar="K", help=text)
    text = "a finished study (name in --out, or folder) whose best trials are tried first (default: none)"
    add("--warm-start", metavar="STUDY", help=text)
    text = "of the search and of every trial; fresh seeds are derived from it (default: 999)"
    add("--seed", type=int, default=999, help=text)


def _add_model(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    text = "paper, or released: the authors' code with its departures (default: paper)"
    add("--preset", default="paper", help=text)
    add("--config", type=Path, metavar="FILE", help="YAML file of config keys, over the preset")
    text = "config keys, over preset and file; a key that is set here is not searched"
    add("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help=text)
    text = (
        "most epochs of a run. Short runs let a search see more configs; a result that should be final wants up to "
        "1000 with early stopping (default: the config's, else 40)"
    )
    add("--epochs", type=int, metavar="N", help=text)


def _add_final(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    text = "best trials that compete again, on fresh seeds and validation: a search's best is partly luck (default: 3)"
    add("--finalists", type=int, default=3, metavar="K", help=text)
    text = "fresh seeds for each finalist, for the winner and for every arm (default: 3)"
    add("--fresh-seeds", type=int, default=3, metavar="N", help=text)
    add("--no-finalize", action="store_true", help="search only: the test split stays closed")
    text = "arms to ablate the winner with: a name in ablations/suites.yaml (default: default, four arms)"
    add("--suite", default="default", metavar="NAME", help=text)
    add("--no-ablations", action="store_true", help="leave out the ablation arms")


def _add_place(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--out", type=Path, default=Path("results"), metavar="DIR", help="parent of study folders (default: results)")
    text = "folder in --out (default: <dataset>-search; of several datasets each gets search-<dataset>)"
    add("--study-name", metavar="NAME", help=text)
    text = "Optuna's storage: sqlite:///FILE or postgresql://... (default: study.db in the study's folder)"
    add("--storage", metavar="URL", help=text)
    add("--device", default="cpu", help="cpu, cuda or cuda:N (default: cpu)")
    text = "runs at the same time; 1 trains in this process, more are Ray actors (default: 1)"
    add("--workers", type=int, default=1, metavar="N", help=text)
    text = "processor threads of a run; equal threads give equal bits (default: the cores, shared by the workers)"
    add("--threads", type=int, metavar="N", help=text)
    text = "share of a GPU for each worker, with --device cuda (default: 1)"
    add("--gpus-per-worker", type=float, default=1.0, metavar="X", help=text)
    text = "train on a running Ray cluster: auto, or HOST:PORT (default: none, this machine only)"
    add("--ray-address", metavar="ADDRESS", help=text)
    text = "show space, runs, arms and an estimate of the time from a short probe; write nothing"
    add("--dry-run", action="store_true", help=text)
    text = "who else hears of the study: NAME, or NAME:TEXT (docs/listeners.md); repeat it for several (default: none)"
    add("--listener", action="append", default=[], metavar="NAME", help=text)
    add("--quiet", action="store_true", help="no progress, only the result")

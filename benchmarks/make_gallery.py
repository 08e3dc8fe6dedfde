"""Program: the whole study of one dataset, and its page in the gallery. ``make_gallery.py -d DATASET``.

A search, the primary contrasts with placebos until they are decided, rivals of CLUB and Solosim, the path from the
default to the winner, knock-outs of modalities, and doses of both losses' weights. Each is a program of the project
that goes on where it was stopped, and so does this one. ``--steps`` leaves some out; the page lists what was run.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.commands import ROOT, call_in_turn
from sea_core.errors import run_program

GALLERY = ROOT / "docs" / "gallery"
DOSES = ROOT / "benchmarks" / "dose"
DOSE_SEEDS = 5
STEPS = ("search", "arms", "path", "rivals", "modalities", "dose", "page")


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks/make_gallery.py", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("-d", "--dataset", required=True, metavar="NAME|PATH", help="what to train on")
    add("--data-root", default="data", metavar="DIR", help="where named folders lie (default: data)")
    add("--out", default="results", metavar="DIR", help="parent of the study's folder (default: results)")
    add("--study-name", metavar="NAME", help="the study's folder (default: <dataset>-search)")
    add("--pages", type=Path, default=GALLERY, metavar="DIR", help="where the page goes (default: docs/gallery)")
    text = "in this order whatever the order here (default: all)"
    add("--steps", nargs="+", choices=STEPS, default=list(STEPS), metavar="STEP", help=f"of {', '.join(STEPS)}; {text}")
    add("--budget", default="20x", metavar="COST", help="of the search: full runs of the default (default: 20x)")
    add("--seeds", default="auto", metavar="N|auto", help="of every arm; auto: until decided (default: auto)")
    add("--max-seeds", type=int, default=40, metavar="N", help="of --seeds auto (default: 40)")
    add("--placebo", type=int, default=4, metavar="K", help="copies of the full model (default: 4)")
    add("--workers", default="auto", metavar="N|auto", help="runs at the same time (default: auto)")
    text = "config keys that every run shares, none of them searched"
    add("--set", nargs="+", default=[], metavar="KEY=VALUE", help=text)
    add("--plan", action="store_true", help="print the commands, run none")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the commands one after the other, then write the page; the first that fails ends it."""
    options = make_parser().parse_args(arguments)
    code = call_in_turn(commands(options), plan_only=options.plan)
    if code or options.plan or "page" not in options.steps:
        return code
    # Pandas, torch and matplotlib take seconds to import, which --help and --plan need not wait for.
    from benchmarks.gallery_page import write_page

    folder = ROOT / options.out / study_name(options)
    print(write_page(folder, options.pages))
    if "dose" in options.steps:
        print(write_page(folder.with_name(f"{folder.name}-dose"), options.pages, about="dose"))
    return 0


def commands(options: argparse.Namespace) -> list[list[str]]:
    """The programs to call, in the order of ``STEPS``."""
    name = study_name(options)
    where = ["--data-root", options.data_root] if options.data_root != "data" else []
    where += ["--out", options.out] if options.out != "results" else []
    where += ["--workers", options.workers]
    ablate = ["ablations/run_ablations.py", "--from-study", name]
    search = ["study/run_search.py", "-d", options.dataset, "--study-name", name, "--budget", options.budget]
    search += ["--no-ablations", *(["--set", *options.set] if options.set else []), *where]
    seeds = ["--seeds", options.seeds]
    seeds += ["--max-seeds", str(options.max_seeds)] if options.seeds == "auto" else []
    doses = sorted(path.relative_to(ROOT).as_posix() for path in DOSES.glob("*.yaml"))
    winner = f"{options.out}/{name}-winner.yaml"
    dose = ["ablations/run_ablations.py", "-d", options.dataset, "--config", winner, "--study-name", f"{name}-dose"]
    programs = {
        "search": [search],
        "arms": [[*ablate, *seeds, "--placebo", str(options.placebo), *where]],
        "path": [["ablations/run_path.py", "--from-study", name, *where]],
        "rivals": [[*ablate, "--suite", "rivals", *where]],
        "modalities": [[*ablate, "--suite", "modalities", *where]],
        "dose": [
            ["study/export.py", f"{options.out}/{name}", "--out", winner],
            [*dose, "--arms", "full", *doses, "--seeds", str(DOSE_SEEDS), *where],
        ],
    }
    return [command for step in STEPS if step in options.steps for command in programs.get(step, [])]


def study_name(options: argparse.Namespace) -> str:
    """The study's folder: what was asked for, else as ``run_search.py`` names it."""
    return options.study_name or re.sub(r"[^A-Za-z0-9._-]+", "-", f"{Path(options.dataset).name}-search")


if __name__ == "__main__":
    sys.exit(run_program(main))

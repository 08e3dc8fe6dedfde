"""``python -m sea_core data prepare``: its options, its table of steps and its notes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sea_core.data.prepare.encoding import TEXT_ENCODERS, Encoding
from sea_core.data.prepare.layouts.registry import layouts
from sea_core.data.prepare.options import WITHOUT_CONTENT, WITHOUT_INTERACTIONS, Options
from sea_core.data.prepare.pipeline import check_target, prepare
from sea_core.data.prepare.splitting import PROTOCOLS, Split, parse_ratios
from sea_core.data.prepare.steps import Step, chosen_contents, take_steps
from sea_core.errors import UserError, suggest

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_prepare_parser(commands: Subparsers) -> None:
    """Add the command; it sets ``run``, which takes the arguments and returns an exit code."""
    known = layouts()
    parser = commands.add_parser(
        "prepare",
        help="make a dataset folder from raw interactions and raw item content",
        description="Make a dataset folder from raw files: read, filter, number, split, make features, check. The same "
        "command goes on where an interrupted one stopped. docs/data.md has examples.",
        epilog="Layouts of RAW: " + "; ".join(f"{name}: {layout.layout}" for name, layout in known.items()) + ".",
    )
    parser.add_argument("layout", metavar="SOURCE", help=f"layout of the files: {', '.join(known)}")
    parser.add_argument("raw", metavar="RAW", type=Path, help="folder of the raw files, or the file with interactions")
    parser.add_argument("out", metavar="OUT", type=Path, help="folder to make; its name is the dataset's")
    parser.add_argument(
        "--k-core", type=int, metavar="K", help="least interactions of a user and of an item (default: 5; mmrec: 0)"
    )
    parser.add_argument(
        "--split", choices=list(PROTOCOLS), help="which rows are held out (default: random; mmrec: as they are)"
    )
    parser.add_argument(
        "--ratios", default="8:1:1", metavar="T:V:T", help="training : validation : test (default: 8:1:1)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the split and the features (default: 0)")
    parser.add_argument("--folds", type=int, default=5, help="of --split k-fold (default: 5)")
    parser.add_argument("--fold", type=int, default=0, help="the one tested on, from 0 (default: 0)")
    parser.add_argument(
        "--text", choices=TEXT_ENCODERS, default="tfidf-svd", help="encoder of texts (default: tfidf-svd)"
    )
    parser.add_argument("--dims", type=int, default=256, help="columns of the features that are made (default: 256)")
    parser.add_argument(
        "--min-rating", type=float, metavar="X", help="leave rows rated lower out (default: all rows count)"
    )
    parser.add_argument(
        "--duplicates",
        choices=["first", "last"],
        default="first",
        help="which row of a user and an item is kept, by time or else by line (default: first)",
    )
    parser.add_argument(
        "--modalities", nargs="+", metavar="NAME", help="modalities in model order (default: all usual ones)"
    )
    parser.add_argument(
        "--columns",
        default="",
        metavar="user=UID,...",
        help="csv: what the columns user, item, time, rating are called",
    )
    parser.add_argument(
        WITHOUT_CONTENT,
        dest="without_content",
        choices=["refuse", "keep", "drop"],
        default="refuse",
        help="items with interactions that a modality has no entry for: keep gives them the mean (default: refuse)",
    )
    parser.add_argument(
        WITHOUT_INTERACTIONS,
        dest="without_interactions",
        choices=["refuse", "keep", "drop"],
        help="items with content and no interactions (default: drop; mmrec: keep)",
    )
    parser.add_argument("--dry-run", action="store_true", help="print the counts after each step and write nothing")
    parser.set_defaults(run=run_prepare)


def run_prepare(arguments: argparse.Namespace) -> int:
    """Run the command; see ``add_prepare_parser`` for its arguments."""
    known = layouts()
    if arguments.layout not in known:
        raise UserError(f"unknown SOURCE '{arguments.layout}'{suggest(arguments.layout, known)}")
    layout = known[arguments.layout]
    if not arguments.raw.exists():
        raise UserError(f"{arguments.raw}: no such file or folder; expected {layout.layout}")
    split = arguments.split or (None if layout.name == "mmrec" else "random")
    options = Options(
        k_core=layout.k_core if arguments.k_core is None else arguments.k_core,
        split=None
        if split is None
        else Split(split, parse_ratios(arguments.ratios), arguments.seed, arguments.folds, arguments.fold),
        encoding=Encoding(arguments.text, arguments.dims, arguments.seed),
        min_rating=arguments.min_rating,
        duplicates=arguments.duplicates,
        modalities=None if arguments.modalities is None else _names(arguments.modalities),
        without_content=arguments.without_content,
        without_interactions=arguments.without_interactions or ("keep" if layout.keeps_items else "drop"),
    )
    check_target(arguments.out)
    raw = layout(arguments.raw, parse_columns(arguments.columns))
    print(f"{'step':<28}{'users':>12}{'items':>12}{'interactions':>16}")
    if arguments.dry_run:
        result = take_steps(raw, chosen_contents(raw, options), options, _print_step)
        _print_notes(result.notes)
        print("dry run: nothing was written")
        return 0
    out = prepare(raw, arguments.out, options, tell=_print_step, print_line=lambda line: print(line, file=sys.stderr))
    from sea_core.data.prepare.manifest import read_manifest

    manifest = read_manifest(out)
    assert manifest is not None
    for about in manifest["features"].values():
        count, got = about["items_without_content"], about["they_got"]
        remark = f"{count:,} items without content got {got}" if count else "every item has content"
        print(f"{about['file']:<28}{about['columns']:>12} columns; {remark}")
    _print_notes(manifest["notes"])
    print(f"{out} is ready: python -m sea_core train -d {out}")
    return 0


def parse_columns(text: str) -> dict[str, str]:
    """``user=UID,item=SKU`` as a map.

    Raises:
        UserError: it is not so.
    """
    columns: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        name, equals, column = part.partition("=")
        if not equals or not name or not column or name in columns:
            raise UserError(f"--columns must be like user=UID,item=SKU, each name once, got {text!r}")
        columns[name.strip()] = column.strip()
    return columns


def _names(words: list[str]) -> tuple[str, ...]:
    """``text citations`` and ``text,citations`` alike."""
    return tuple(name for word in words for name in word.split(",") if name)


def _print_step(step: Step) -> None:
    counts = step.counts
    remark = f"   {step.remark}" if step.remark else ""
    print(f"{step.name:<28}{counts.users:>12,}{counts.items:>12,}{counts.interactions:>16,}{remark}", flush=True)


def _print_notes(notes: list[str]) -> None:
    for note in notes:
        print(f"note: {note}", file=sys.stderr)

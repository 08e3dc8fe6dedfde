"""Program: train the arms of an ablation and compare them. ``python ablations/run_ablations.py -d DATASET``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sea_core.errors import INTERRUPTED, UserError, run_program
from sea_core.options import Option, Parser, add_options, option
from study.planning.options import HOW_TO_RUN, STUDY_OPTIONS, make_request, number_or_auto, requests_of_studies
from study.planning.requests import DATASET, MODES, AblationRequest, refuse_with_study

if TYPE_CHECKING:
    from study.analysis.results import Results
    from study.records.drawn import Shown
    from study.running.events import Emit

    Computed = tuple[Results, dict[str, Shown]]  # of one study: what all is drawn from, and its tables

EPILOG = """\
examples:
  run_ablations.py -d synthetic                               the four arms on ten seeds
  run_ablations.py --from-study lfm2k-search --suite paper    with the config that a search chose
  run_ablations.py --from-study a-search --from-study b-search --mode both       two datasets, and tables over both
  run_ablations.py -d lfm2k --arms no-club my-arm.yaml        an arm of your own: copy a file of ablations/arms

Differences are paired: every arm trains on the same seeds, and full is always among them. The same command again
continues; finished runs are not repeated. Each run opens the test split once and leaves a receipt of it."""


OPTIONS: dict[str, Option] = STUDY_OPTIONS | dict(
    [
        option(
            "--fresh-seeds",
            text=STUDY_OPTIONS["--fresh-seeds"].text,
            type=number_or_auto,  # the other name of --seeds, and the one that messages say
            metavar="N|auto",
            unless=STUDY_OPTIONS["--fresh-seeds"].unless,
        ),
        option(
            "--from-study",
            text="take dataset, config and seeds from a finished study, and write there; repeat it for several studies",
            action="append",
            metavar="NAME",
            unless="none",
        ),
        option(
            "--arms",
            text="names (--list), or paths of YAML files, in place of a suite",
            nargs="+",
            metavar="ARM",
            unless="the suite's",
        ),
        option(
            "--mode",
            text="frozen: every arm has the full model's config; retuned: each has a search like the study's; both",
            choices=list(MODES),
        ),
        option(
            "--searches",
            text="independent searches of each re-tuned arm, full too; from 3 on arms get verdicts",
            type=int,
            metavar="K",
            unless="what the ablation was begun with, else 1",
        ),
        option(
            "--seeds",
            text="fresh seeds for every arm, the same for all; auto: look at 10, 20, 40 seeds and stop what is decided",
            type=number_or_auto,
            metavar="N|auto",
            field="fresh_seeds",
            unless="what the ablation was begun with, else 10",
        ),
        option(
            "--extra-full",
            text="more seeds of full alone, which every contrast shares; auto: so many that there are "
            "sqrt(arms) times as many as of an arm",
            type=number_or_auto,
            metavar="N|auto",
            unless="what the ablation was begun with, else 0",
        ),
        option("--max-seeds", text="the most seeds of --seeds auto", type=int, metavar="N", unless="40"),
        option("--primary", text="metric of the primary question", metavar="METRIC", unless="the one of the search"),
        option(
            "--contrasts",
            text="arms whose difference to full is the primary question; all others wait behind their gate",
            nargs="+",
            metavar="ARM",
            unless="no-club, no-solosim, no-both",
        ),
        option(
            "--margin",
            text="largest difference that does not matter, as a share of the full model's mean",
            type=float,
            metavar="X",
            unless="0.02",
        ),
        option(
            "--placebo",
            text="copies of the full model on seeds of their own: what a difference of nothing looks like here",
            type=int,
            metavar="K",
        ),
        option("--list", text="list arms and suites, and stop", action="store_true"),
    ]
)
GROUPS: Mapping[str, Sequence[str]] = {
    "what to compare": ["--dataset", "--data-root", "--from-study", "--arms", "--suite", "--mode", "--searches"],
    "what is asked, fixed before the first arm runs": [
        "--seeds",
        "--max-seeds",
        "--extra-full",
        "--fresh-seeds",
        "--split-seeds",
        "--primary",
        "--contrasts",
        "--margin",
        "--placebo",
    ],
    "the full model, where no study gives it": [
        "--model",
        "--preset",
        "--config",
        "--set",
        "--epochs",
        "--metrics",
        "--seed",
    ],
    "where and how": ["--list", "--out", "--study-name", *HOW_TO_RUN],
}


def make_parser() -> Parser:
    """The command line."""
    parser = Parser(
        prog="run_ablations.py",
        description="Train every arm of an ablation on the same seeds, test each run, and compare the\n"
        "arms with the full model in tables and figures.",
        epilog=EPILOG,
    )
    for title, names in GROUPS.items():
        add_options(parser.add_argument_group(title), AblationRequest, OPTIONS, names)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the ablation of each dataset, then make the tables and figures."""
    given = make_parser().given(arguments)
    if "list" in given:
        return _list_arms()
    requests = ablation_requests(given)
    # Torch takes a second or two to import, which --help and mistyped options need not wait for.
    import optuna

    from sea_core.interrupts import graceful_stop
    from sea_core.training.loop import Stopped
    from study.ablation.run import run_all
    from study.ablation.setup import describe, plan_ablations
    from study.listeners.choose import check_listeners, listening
    from study.records.folder import study_folder

    optuna.logging.set_verbosity(optuna.logging.ERROR)

    # Everything is planned before anything is trained: a mistake in the last must not cost the time of the others.
    resources, dry_run, listeners = requests[0].resources, "dry_run" in given, given.get("listener", [])
    ablations = plan_ablations(requests)
    check_listeners(listeners)
    for ablation in ablations:
        print("\n".join(describe(ablation, resources, probing=dry_run)))
    if dry_run:
        return 0
    try:
        with graceful_stop() as stop:
            computed: list[Computed] = []
            for ablation in ablations:
                with listening(listeners, quiet="quiet" in given) as emit:
                    conclude = partial(_write_results, ablation.folder.root, computed, emit)
                    run_all(ablation, resources, emit=emit, stop=stop, conclude=conclude)
    except Stopped:
        print("stopped after a finished epoch; the same command continues", file=sys.stderr)
        return INTERRUPTED
    _conclude(computed, study_folder(requests[0].out, given.get("study_name", "ablations")).root)
    return 0


def ablation_requests(given: Mapping[str, Any]) -> list[AblationRequest]:
    """One request per dataset, or per study.

    Args:
        given: by the parser.

    Raises:
        UserError: a value that no request may have, or options that contradict each other.
    """
    if "arms" in given and "suite" in given:
        raise UserError("give either --arms or --suite, not both")
    datasets, studies = list(dict.fromkeys(given.get("dataset", []))), given.get("from_study", [])
    own = dict(given) | {"arms": [name for words in given.get("arms", []) for name in words.split(",") if name]}
    if studies:
        refuse_with_study(given)
        return requests_of_studies(AblationRequest, own, studies)
    if len(datasets) > 1 and "study_name" in given:
        own["study_name"] = f"{given['study_name']}-{DATASET}"
    return [make_request(AblationRequest, own | {"dataset": dataset}) for dataset in datasets or [None]]


def _write_results(folder: Path, computed: list[Computed], emit: Emit) -> None:
    """Tables, figures and report of one study, added to those of the others."""
    from study.analysis.results import Results
    from study.api.outputs import write_outputs
    from study.records.study import load_study

    results = Results([load_study(folder)])
    computed.append((results, write_outputs(results, folder, emit=emit)))


def _conclude(computed: Sequence[Computed], joint: Path) -> None:
    """Show the tables and say where everything lies; several studies get tables, figures and a report together."""
    from study.analysis.results import Results
    from study.api.outputs import write_outputs
    from study.reporting.tables.ablation import ABLATIONS

    places = [results.study.folder.root for results, _ in computed]
    shown = computed[0][1]
    if len(computed) > 1:
        shown = write_outputs(Results.joined([results for results, _ in computed]), joint)
        places.append(joint)
    for table in (shown[name] for name in ABLATIONS if name in shown):
        print(f"\n{table.caption}\n{table.text}")
    figures = ", ".join(sorted(str(place / "figures") for place in places if (place / "figures").exists()))
    print("; ".join([f"tables: {places[-1] / 'tables'}", *([f"figures: {figures}"] if figures else [])]))
    print(f"report: {', '.join(str(place / 'report.html') for place in places)}")


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

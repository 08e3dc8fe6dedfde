"""The command line of ``run_search.py``; each option says what it does, why one would use it, and its default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sea_core.errors import UserError
from sea_core.options import Option, Parser, add_options, option
from study.planning.options import HOW_TO_RUN, STUDY_OPTIONS, make_request
from study.planning.requests import DATASET, SearchRequest
from study.searching.methods import PRUNERS, SAMPLERS
from study.searching.promotion import RUNGS

DESCRIPTION = """\
Search a model's hyper-parameters on a dataset, re-train the winner on fresh seeds, open it on the test split once,
compare it with baselines and ablation arms, and leave tables and figures."""

EPILOG = """\
examples:
  run_search.py                                     the built-in synthetic data: a whole study in minutes
  run_search.py -d lfm2k --data-root data           a folder data/lfm2k in MMRec's format
  run_search.py -d lfm2k -d ml-100k --n-trials 50   two studies, then one table over both
  run_search.py --space sweep-temperature --sampler grid --no-finalize      one factor, every value

A study lies in <out>/<study-name>. The same command continues it after an interruption, or does nothing if all is done;
with a larger --n-trials it searches on. Trials are judged on validation only. The test split is opened for the winner,
re-trained on fresh seeds, and for the ablation arms and baselines beside it; each opening leaves a receipt."""


def _listed(choices: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {what}" for name, what in choices.items())


SEARCH_OPTIONS: dict[str, Option] = STUDY_OPTIONS | dict(
    [
        option(
            "--space",
            text="what is searched: a name in study/spaces, or a YAML file; default is the model's own. MMRec's "
            "YAML and RecBole's .test files are read too",
            metavar="NAME|FILE",
        ),
        option(
            "--skip-unknown",
            text="leave out what a space of MMRec or RecBole searches and the model does not have",
            action="store_const",
            const=True,
        ),
        option(
            "--n-trials",
            text="the study's total of complete, pruned and failed trials",
            type=int,
            metavar="N",
            unless="what --budget allows; for a grid every cell",
        ),
        option(
            "--budget",
            text="what trials may cost in all: 20x (whole runs of the base configuration, trained until it stops), "
            "2000epochs, 30min (of training). With --n-trials too, whichever is reached first ends the search",
            metavar="COST",
            unless="20x; no limit with --n-trials, and 20 trials with a pruner that pauses none",
        ),
        option(
            "--timeout",
            text="begin no trial after this time; those running are finished",
            type=float,
            metavar="SECONDS",
            unless="no limit",
        ),
        option("--sampler", text=f"who proposes trials: {_listed(SAMPLERS)}", choices=list(SAMPLERS)),
        option(
            "--pruner",
            text=f"who stops hopeless trials: {_listed(PRUNERS)}",
            choices=list(PRUNERS),
            unless="promote; halving for several seeds, none for a grid",
        ),
        option(
            "--rungs",
            text="epochs at which --pruner promote pauses trials. The first must be long enough to tell good from bad",
            nargs="+",
            type=int,
            metavar="N",
            unless=" ".join(map(str, RUNGS)),
        ),
        option(
            "--seeds-per-trial",
            text="judge a trial on the mean over up to K seeds instead of on one, which a lucky seed can win. The "
            "pruner then decides after each seed, not after each epoch, whether the next one is worth it, so that most "
            "trials cost one run and the best K",
            type=int,
            metavar="K",
        ),
        option(
            "--warm-start",
            text="a finished study (name in --out, or folder) whose best trials are tried first; repeat it for "
            "several, also of other datasets: five trials are taken in all, by their rank averaged over the studies",
            action="append",
            metavar="STUDY",
            unless="none",
        ),
        option(
            "--final-epochs",
            text="most epochs of finalists, winner and arms. As a rule they stop early: results should come from "
            "models that have finished learning",
            type=int,
            metavar="N",
            unless="the config's, 1000 if nothing else is said",
        ),
        option(
            "--finalists",
            text="best trials that compete again, on fresh seeds and validation: a search's best is partly luck",
            type=int,
            metavar="K",
        ),
        option(
            "--controls",
            text="trials that were not selected, run again on the winner's fresh seeds: they tell a lucky seed of the "
            "search from the winner's curse; 5 say much",
            type=int,
            metavar="K",
        ),
        option(
            "--no-finalize",
            text="search only: the test split stays closed",
            action="store_const",
            const=False,
            field="finalize",
        ),
        option(
            "--no-ablations",
            text="leave out the ablation arms",
            action="store_const",
            const=True,
        ),
        option(
            "--storage",
            text="Optuna's storage: sqlite:///FILE or postgresql://...",
            metavar="URL",
            unless="study.db in the study's folder",
        ),
        option(
            "--adopt",
            text="go on with a study whose folder was renamed or copied: its trials are kept under the new name",
            action="store_const",
            const=True,
        ),
    ]
)


GROUPS: Mapping[str, Sequence[str]] = {
    "what to train on": ["--dataset", "--data-root"],
    "what to search": [
        "--space",
        "--skip-unknown",
        "--n-trials",
        "--budget",
        "--timeout",
        "--sampler",
        "--pruner",
        "--rungs",
        "--seeds-per-trial",
        "--warm-start",
        "--seed",
    ],
    "what all trials share": ["--model", "--preset", "--config", "--set", "--epochs", "--metrics"],
    "what happens to the winner": [
        "--final-epochs",
        "--finalists",
        "--controls",
        "--fresh-seeds",
        "--split-seeds",
        "--no-finalize",
        "--suite",
        "--no-ablations",
    ],
    "where and how": ["--out", "--study-name", "--storage", "--adopt", *HOW_TO_RUN],
}


def make_parser() -> Parser:
    """The parser. It imports nothing heavy, so that ``--help`` is quick."""
    parser = Parser(prog="run_search.py", description=DESCRIPTION, epilog=EPILOG)
    for title, names in GROUPS.items():
        add_options(parser.add_argument_group(title), SearchRequest, SEARCH_OPTIONS, names)
    return parser


def search_requests(given: Mapping[str, Any]) -> list[SearchRequest]:
    """One request per dataset.

    Args:
        given: by the parser.

    Raises:
        UserError: a value that no request may have, or options that contradict each other.
    """
    _refuse_contradictions(given)
    datasets = list(dict.fromkeys(given.get("dataset", [SearchRequest.dataset])))
    own = dict(given)
    if given.get("no_ablations"):
        own["suite"] = None
    if len(datasets) > 1:
        own["study_name"] = f"{given.get('study_name', 'search')}-{DATASET}"
    return [make_request(SearchRequest, own | {"dataset": dataset}) for dataset in datasets]


_OF_THE_WINNER = ["fresh_seeds", "split_seeds", "final_epochs"]


def _refuse_contradictions(given: Mapping[str, Any]) -> None:
    """An option that another makes meaningless was given by mistake; to ignore it would hide that."""
    for switch, why, ignored in (
        ("no_ablations", "leaves out the arms", ["suite"]),
        ("finalize", "ends with the search", ["suite", "finalists", "controls", *_OF_THE_WINNER]),
    ):
        for name in ignored:
            if switch in given and name in given:
                flag = "--no-ablations" if switch == "no_ablations" else "--no-finalize"
                raise UserError(f"{flag} {why}, so --{name.replace('_', '-')} has no effect; leave one of them out")

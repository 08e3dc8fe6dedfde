"""The ledger: what was spent on each part of a study, so that nobody's budget is larger in secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from study.analysis.convergence import run_converged
from study.analysis.results import Results
from study.analysis.search_costs import cost_alike, epochs_run, full_runs
from study.records.arm_names import FULL, in_order
from study.records.study import RunRecord, Study
from study.reporting.tables.registry import register_table
from study.reporting.tables.table import Table

KINDS = {"search": "searches", "(frozen)": "frozen arms", "(retuned)": "re-tuned arms"}


class Budget(NamedTuple):
    """What a search or an arm was allowed."""

    runs: int
    seeds: int
    epochs: int

    def __str__(self) -> str:
        seeds = f"{self.seeds} seed{'' if self.seeds == 1 else 's'}"
        return f"{self.runs} run{'' if self.runs == 1 else 's'} on {seeds} of at most {self.epochs} epochs"


@register_table("budgets", place=120)
def compute(results: Results) -> Table | None:
    """Runs and epochs of search, finalists, winner and every arm. Counts only: nothing depends on the clock."""
    spent_on = [(study, part, runs) for study in results.studies for part, runs in parts(study)]
    lines = [(study.name, study.dataset, part, _spent(runs)) for study, part, runs in spent_on]
    if not lines:
        return None
    counts = ["runs", "complete", "pruned", "failed", "seeds", "epochs allowed", "epochs run", "not converged"]
    names = pd.DataFrame([line[:3] for line in lines], columns=["study", "dataset", "part"])
    frame = names.join(pd.DataFrame([line[3] for line in lines], columns=counts))
    rows = [[study, part, *map(str, spent)] for study, _, part, spent in lines]
    starts = [index for index in range(1, len(lines)) if lines[index][0] != lines[index - 1][0]]
    return Table(
        name="budgets",
        caption="Budgets: runs, their ends, seeds, the most epochs a run was allowed, epochs run in all, and "
        "complete runs that were still learning when the allowed epochs were over. Duplicates of earlier trials and "
        "runs taken over from a search's winner cost nothing and count no epochs.",
        columns=["Study", "Part", *[count.capitalize() for count in counts]],
        rows=rows,
        rules=starts,
        frame=frame,
        notes=[
            f"{results.prefix(study.name)}{note}"
            for study in results.studies
            for note in [*compare_budgets(study), *_unknown(study)]
        ],
        runs=[runs for _, _, runs in spent_on],
    )


def _unknown(study: Study) -> list[str]:
    """What nobody here can say."""
    titles = dict.fromkeys(run.record["imported"]["title"] for run in study.imported)
    return [f"{title} was trained elsewhere; its budget is not known here." for title in titles]


def compare_budgets(study: Study) -> list[str]:
    """Whether what stands side by side had equal budgets: all searches, and within each mode all arms."""
    kinds: dict[str, dict[str, Budget]] = {}
    for label, runs in parts(study):
        part = label.rpartition(": ")[2]
        kind = KINDS.get("search" if part == "search" else part.rpartition(" ")[2])
        if kind is not None:
            seeds = len({seed for run in runs for seed in run.judged_on})
            kinds.setdefault(kind, {})[label] = Budget(len(runs), seeds, max(run.config.epochs for run in runs))
    return [
        (_by_cost(study) if kind == KINDS["search"] else None) or _verdict(kind, budgets)
        for kind, budgets in kinds.items()
        if len(budgets) > 1
    ]


def searches_by_cost(study: Study) -> dict[str, float]:
    """Every search of a study -> its cost in full runs of its default; empty where trials were counted instead.

    Trials that pause differ in length as much as models do, so such searches have equal costs, not equal numbers.
    """
    if study.spec is None or study.spec.promotion is None:
        return {}
    searches = {label: runs for label, runs in parts(study) if label == "search" or label.endswith(": search")}
    costs = {label: full_runs(runs) for label, runs in searches.items()}
    known = {label: cost for label, cost in costs.items() if cost is not None}
    return known if known.keys() == costs.keys() else {}


def _by_cost(study: Study) -> str | None:
    costs = searches_by_cost(study)
    usual = costs.get("search")
    if usual is None:
        return None
    others = [f"{label} ({cost:.1f})" for label, cost in costs.items() if not cost_alike(usual, cost)]
    if others:
        return (
            f"Unequal budgets of searches: search cost {usual:.1f} full runs of its default, but {', '.join(others)}."
        )
    low, high = (f"{bound:.1f}" for bound in (min(costs.values()), max(costs.values())))
    ends = low if low == high else f"{low} to {high}"
    return f"Equal budgets: each of the {len(costs)} searches cost {ends} full runs of its default."


def search_cost(study: Study) -> str:
    """``14 trials, 1210 epochs, 10.1 full runs``: a full run is as long as its first trial."""
    epochs, full = sum(epochs_run(study.trials)), full_runs(study.trials)
    runs = "" if full is None else f", {full:.1f} full runs of its default"
    return f"{len(study.trials)} trial{'' if len(study.trials) == 1 else 's'}, {epochs} epochs{runs}"


def _verdict(kind: str, budgets: Mapping[str, Budget]) -> str:
    usual = next(iter(budgets.values()))  # the study's own search, or the full model
    others = [f"{label} ({budget})" for label, budget in budgets.items() if budget != usual]
    if others:
        return f"Unequal budgets of {kind}: {next(iter(budgets))} had {usual}, but {', '.join(others)}."
    return f"Equal budgets: each of the {len(budgets)} {kind} had {usual}."


def parts(study: Study) -> Iterator[tuple[str, list[RunRecord]]]:
    """Everything that a study spent runs on: its search, each arm's own search (``<arm>: search``), each arm."""
    for part, runs in (
        ("search", study.trials),
        ("finalists", study.finalists),
        ("winner", study.winner),
        ("default", study.default),
        ("path, candidates", study.path_candidates),
        ("path, steps", study.path_steps),
    ):
        if runs:
            yield part, runs
    for arm, search in study.arm_searches.items():
        for part, runs in parts(search):
            yield f"{arm}: {part}", runs
    for mode in dict.fromkeys(run.mode for run in study.ablations):
        mine = study.runs(mode=mode)
        alone = study.question.extra_seeds if study.question is not None and mode == "frozen" else ()
        for arm in in_order(str(run.arm) for run in mine):
            yield f"{arm} ({mode})", [run for run in mine if run.arm == arm and run.seed not in alone]
        if extra := [run for run in mine if run.seed in alone]:
            yield f"{FULL}, extra seeds", extra
    for number in dict.fromkeys(run.record["search"] for run in study.repeated):
        again = [run for run in study.repeated if run.record["search"] == number]
        for arm in in_order(str(run.arm) for run in again):
            yield f"{arm}, search {number} (retuned)", [run for run in again if run.arm == arm]


def _spent(runs: Sequence[RunRecord]) -> tuple[int, ...]:
    states = [run.state for run in runs]
    return (
        sum(max(1, len(run.judged_on)) for run in runs),
        *(states.count(state) for state in ("complete", "pruned", "failed")),
        len({seed for run in runs for seed in run.judged_on}),
        max((run.config.epochs for run in runs), default=0),
        sum(epochs_run(runs)),
        sum(run_converged(run) is False for run in runs),
    )

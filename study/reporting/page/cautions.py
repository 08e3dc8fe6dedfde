"""What a reader must know before believing the numbers: power, CLUB's clamp, budgets, code, data openings, failures."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from sea_core.errors import UserError
from sea_core.receipts import read_receipts
from sea_core.run_folder import RECEIPT
from study.analysis.convergence import run_converged, trials_cut_off
from study.analysis.results import Results
from study.analysis.search_costs import cost_alike
from study.records.arm_names import FULL
from study.records.provenance import read_provenance
from study.records.study import RunRecord, Study
from study.reporting.page.claims import is_open
from study.reporting.page.page import Caution
from study.reporting.tables.budgets import parts, searches_by_cost

CLAMPED = 0.1  # share of batches without a gradient from CLUB that is worth a word


def cautions(study: Study, results: Results) -> list[Caution]:
    """All that applies to a study, the gravest first."""
    checks: Sequence[Callable[[Study], Iterator[Caution]]] = (
        _grown,
        _code,
        _openings,
        _budgets,
        _failures,
        _clamped,
        _not_converged,
        _trials_not_converged,
    )
    return [*_power(study, results), *(caution for check in checks for caution in check(study))]


def clamped_shares(runs: Sequence[RunRecord]) -> dict[str, float]:
    """Modality -> share of the batches, over all epochs and runs, in which CLUB's bound was clamped to 0."""
    shares: dict[str, list[pd.Series]] = {}
    for run in runs:
        if run.history is not None and run.config.distancing == "club" and run.config.club_clamp:
            for name in run.history.columns:
                if name.startswith("clamped_"):
                    shares.setdefault(name.removeprefix("clamped_"), []).append(run.history[name])
    return {modality: float(pd.concat(columns).mean()) for modality, columns in shares.items()}


def _power(study: Study, results: Results) -> Iterator[Caution]:
    rows = [row for row in results.arms if row.study == study.name]
    # What no verdict was asked of, or lies behind a closed gate, has no power to lack.
    weak = [row for row in rows if is_open(row) and row.verdict != "descriptive" and not row.mde <= row.margin]
    if not weak:
        return
    seeds = sorted({row.seeds for row in weak})
    if seeds == [1]:
        yield Caution("One seed", "Differences between arms have no interval and no p-value; five or more seeds do.")
        return
    margins, mdes = [row.margin for row in weak], [row.mde for row in weak if not math.isnan(row.mde)]
    users = max(row.users for row in weak)
    count = "All" if len(weak) == len(rows) else f"{len(weak)} of"
    yield Caution(
        "Underpowered",
        f"{count} {len(rows)} comparisons with the full model could not have found a difference that matters: with "
        f"{' to '.join(str(n) for n in dict.fromkeys((seeds[0], seeds[-1])))} seeds and {users} users "
        f"the smallest one found with 80 % power is {min(mdes):.4f} to {max(mdes):.4f}, what matters "
        f"begins at {min(margins):.4f} to {max(margins):.4f}. They say nothing either way; "
        f"{'more users would' if all(row.verdict == 'user-limited' for row in weak) else 'more seeds would'}.",
    )


def _clamped(study: Study) -> Iterator[Caution]:
    runs = study.winner or study.runs(arm=FULL)
    often = {modality: share for modality, share in clamped_shares(runs).items() if share >= CLAMPED}
    if often:
        listed = ", ".join(f"{100 * share:.0f} % ({modality})" for modality, share in often.items())
        text = (
            f"In {listed} of the batches CLUB’s bound was negative and clamped to 0: distancing had no gradient there."
        )
        if any(run.arm == "no-club" for run in study.ablations):
            text += " The arm without CLUB differs from the full model only in the other batches."
        yield Caution("CLUB clamped to zero", text)


def _budgets(study: Study) -> Iterator[Caution]:
    """Arms must have equal seeds, epochs and, where they were searched, equal trials."""
    modes = list(dict.fromkeys(str(run.mode) for run in study.ablations))
    for mode in modes:
        spent: dict[str, tuple[frozenset[int | None], int]] = {}
        for arm in dict.fromkeys(str(run.arm) for run in study.runs(mode=mode)):
            alone = study.question.extra_seeds if study.question and (arm, mode) == (FULL, "frozen") else ()
            runs = [run for run in study.runs(arm=arm, mode=mode) if run.seed not in alone]
            spent[arm] = (frozenset(run.seed for run in runs), max(run.config.epochs for run in runs))
        reference = spent.get(FULL)
        unequal = [
            f"{arm} ({len(seeds)} seeds, at most {epochs} epochs)"
            for arm, (seeds, epochs) in spent.items()
            if reference is not None and (seeds, epochs) != reference
        ]
        if reference is not None and unequal:
            yield Caution(
                f"Unequal budgets ({mode})",
                f"The full model had {len(reference[0])} seeds and at most {reference[1]} epochs; other seeds or "
                f"epochs: {', '.join(unequal)}.",
            )
    if costs := searches_by_cost(study):
        yield from _unequal_costs(costs)
        return
    searches = {label: runs for label, runs in parts(study) if label == "search" or label.endswith(": search")}
    sizes = {label: _search_size(runs) for label, runs in searches.items()}
    unequal = [
        f"{label.removesuffix(': search')} {trials} trials of at most {epochs} epochs"
        for label, (trials, epochs) in sizes.items()
        if label != "search" and (trials, epochs) != sizes.get("search")
    ]
    if "search" in sizes and unequal:
        trials, epochs = sizes["search"]
        yield Caution(
            "Unequal searches",
            f"The full model was tuned with {trials} trials of at most {epochs} epochs; not so: {', '.join(unequal)}.",
        )


def _unequal_costs(costs: Mapping[str, float]) -> Iterator[Caution]:
    usual = costs["search"]
    unequal = [
        f"{label.removesuffix(': search')} {cost:.1f}" for label, cost in costs.items() if not cost_alike(usual, cost)
    ]
    if unequal:
        yield Caution(
            "Unequal searches",
            f"The full model was tuned for {usual:.1f} full runs of its default; not so: {', '.join(unequal)}.",
        )


def _search_size(runs: Sequence[RunRecord]) -> tuple[int, int]:
    return len(runs), max((run.config.epochs for run in runs), default=0)


def _code(study: Study) -> Iterator[Caution]:
    """Uncommitted changes, several versions of the code, or of what computes."""
    facts = read_provenance(study.folder)
    calls = [facts, *facts.get("resumed", [])] if facts else []
    if any(call.get("dirty") for call in calls):
        yield Caution(
            "Dirty tree",
            "The code had uncommitted changes when the study ran, so the commit alone does not reproduce it.",
        )
    commits = list(dict.fromkeys(str(call["commit"])[:12] for call in calls if call.get("commit")))
    if len(commits) > 1:
        yield Caution(
            "Several versions of the code", f"The study was continued at other commits: {', '.join(commits)}."
        )
    records = study.all_records()
    for name, title in (("versions", "Several versions of the software"), ("machine", "Several machines")):
        variants = list(
            dict.fromkeys(json.dumps(run.record[name], sort_keys=True) for run in records if name in run.record)
        )
        if len(variants) > 1:
            changed = _changes([json.loads(text) for text in variants])
            yield Caution(title, f"Runs of this study differ in {changed}; their bits may differ too.")
    threads = sorted({run.record["threads"] for run in records if "threads" in run.record})
    if len(threads) > 1:
        yield Caution("Several numbers of threads", f"Runs used {threads} threads; equal bits need equal threads.")


def _changes(variants: Sequence[dict[str, Any]]) -> str:
    names = dict.fromkeys(name for each in variants for name in each)
    values = {name: list(dict.fromkeys(str(each.get(name)) for each in variants)) for name in names}
    return "; ".join(f"{name} ({', '.join(each)})" for name, each in values.items() if len(each) > 1)


def _grown(study: Study) -> Iterator[Caution]:
    """Trials that ran after the winner was chosen had no say in it."""
    selection, best = study.selection, study.best_trial
    if selection is None or best is None:
        return
    later = 0 if selection.trials is None else len(study.trials) - selection.trials
    # Older selections do not say how many trials there were, but the best of a search always competes.
    unheard = bool(selection.finalists) and best.number not in selection.finalists
    if later <= 0 and not (unheard and selection.trials is None):
        return
    since = f"{later} trial{'' if later == 1 else 's'} ran" if later > 0 else "the search went on"
    lead = f" Trial {best.number} leads the search now and never competed." if unheard else ""
    yield Caution(
        "Grown since the winner was chosen",
        f"After trial {selection.winner} had been chosen, {since}.{lead} The results are of the earlier choice; repeat "
        "the search without --no-finalize to choose among all.",
    )


def _openings(study: Study) -> Iterator[Caution]:
    """The test split is opened once per run; more is not forbidden, but must be seen."""
    again = []
    for run in study.all_records():
        if (run.folder / RECEIPT).exists():
            try:
                count = len(read_receipts(run.folder / RECEIPT))
            except UserError as error:
                yield Caution("Unreadable receipt", str(error))
                continue
            if count > 1:
                again.append(f"{run.folder.relative_to(study.folder.root).as_posix()} ({count} times)")
    if again:
        yield Caution("Test split opened again", f"More than one receipt lies beside {', '.join(again)}.")


def _failures(study: Study) -> Iterator[Caution]:
    failed = [run for run in study.trials if run.state == "failed"]
    if failed:
        kinds = ", ".join(dict.fromkeys(str((run.failure or {}).get("kind", "unknown")) for run in failed))
        numbers = ", ".join(str(run.number) for run in failed)
        count = f"{len(failed)} of {len(study.trials)} trials"
        yield Caution("Failed trials", f"{count} failed ({kinds}): {numbers}. They count, and have no value.")
    arms = dict.fromkeys(f"{run.arm} (seed {run.seed})" for run in study.ablations if run.state == "failed")
    if arms:
        yield Caution(
            "Failed arms", f"Without a result: {', '.join(arms)}. Their arms are compared on the other seeds."
        )


def _not_converged(study: Study) -> Iterator[Caution]:
    cut = unconverged_runs(study)
    if cut:
        several = len({str(run.arm) for run in study.ablations}) > 1
        yield Caution(
            "Not converged",
            f"{len(cut)} of {len(_final_runs(study))} final runs were still learning when the most epochs they were "
            f"allowed ({max(run.config.epochs for run in cut)}) were over: more may change the levels"
            f"{', and the order' if several else ''}. --final-epochs raises the cap.",
        )


def _trials_not_converged(study: Study) -> Iterator[Caution]:
    if (sentence := trials_cut_off(study)) is not None:
        yield Caution("Trials cut off", f"{sentence[0].upper()}{sentence[1:]}.")


def unconverged_runs(study: Study) -> list[RunRecord]:
    """The final runs that their cap ended while they were still learning."""
    return [run for run in _final_runs(study) if run_converged(run) is False]


def _final_runs(study: Study) -> list[RunRecord]:
    return [run for run in (*study.winner, *study.default, *study.ablations) if run.state == "complete"]

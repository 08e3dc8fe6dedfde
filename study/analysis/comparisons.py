"""Comparisons on test, from a study's records to judged ``Comparison`` rows; ``stats/`` does the arithmetic.

The arms of one study share one alpha graph: primary contrasts, rivals, other metrics, re-tuned arms. Baselines and the
factorial have graphs of their own, and so have arms that were added after the first run.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from study.analysis.measurements import default_title, imported_name, require_receipt, tuned_title
from study.analysis.paired_runs import Runs, per_user, require_same_users, tested
from study.analysis.search_sample import search_samples
from study.analysis.stats.compare import Pair, describe, evidence_of, factorial_pairs
from study.analysis.stats.comparison import Comparison, Family, judge_rows
from study.analysis.stats.contrasts import Evidence
from study.analysis.stats.crossed import standardised_difference
from study.analysis.stats.extra_reference import LEAST_EXTRA, add_reference_variance, joint_base, share_reference
from study.analysis.stats.moderation import PRIOR_DF
from study.records.arm_names import FULL, in_order
from study.records.imported import reference_runs
from study.records.question import MARGIN, Question, assumed_question
from study.records.study import RunRecord, Study

WHOLE = "the whole path"
FACTORIAL_ARMS = (FULL, "no-club", "no-solosim", "no-both")


class Comparisons(NamedTuple):
    """Every comparison of one or more studies, each judged in its own study.

    Attributes:
        arms: each arm against ``full`` of the same study and mode, on the seeds that both finished. One seed gives a
            difference, but no interval and no p-value.
        baselines: the winner against each baseline, which has no seeds and is the same beside every one.
        factors: main effects of CLUB and Solosim and their interaction, where the four arms share seeds.
        tuning: the winner against the base configuration of its search, on the seeds that both finished.
        placebos: copies of ``full`` against it, in no family; every difference among them is chance.
        path: each step from the base configuration to the winner against the step before; then, in no family, the
            winner against the base configuration on the same seeds.
        imported: results of programs elsewhere against ``full``, or the winner where no arm ran.
    """

    arms: tuple[Comparison, ...]
    baselines: tuple[Comparison, ...]
    factors: tuple[Comparison, ...]
    tuning: tuple[Comparison, ...] = ()
    placebos: tuple[Comparison, ...] = ()
    path: tuple[Comparison, ...] = ()
    imported: tuple[Comparison, ...] = ()


def compare(studies: Sequence[Study], metrics: Sequence[str]) -> Comparisons:
    """Compare everything that the studies can answer, on these metrics.

    Raises:
        UserError: an arm was tested on other users than ``full``, or a baseline on others than the winner.
    """
    return side_by_side([compare_study(study, metrics) for study in studies], metrics)


def compare_study(study: Study, metrics: Sequence[str]) -> Comparisons:
    """One study by itself; otherwise as ``compare``."""
    parts = (
        _arms(study, metrics),
        _baselines(study, metrics),
        _factors(study, metrics),
        _tuning(study, metrics),
        _placebos(study, metrics),
        _path(study, metrics),
        _imported(study, metrics),
    )
    return Comparisons(*(tuple(rows) for rows in parts))


def side_by_side(parts: Sequence[Comparisons], metrics: Sequence[str]) -> Comparisons:
    """The comparisons of several studies on those of their metrics that are named.

    Each study answers its own question at its own level; what holds over several of them is another question.
    """
    return Comparisons(
        *(tuple(row for part in family for row in part if row.metric in metrics) for family in zip(*parts, strict=True))
    )


def question_of(study: Study, metrics: Sequence[str]) -> Question:
    """What the study asks of its arms: what it wrote down before they ran, else the defaults."""
    if study.question is not None:
        return study.question
    runs = [run for run in study.ablations if run.seed is not None]
    arms = [arm for arm in in_order(str(run.arm) for run in runs) if arm != FULL]
    seeds = dict.fromkeys(run.seed for run in runs if run.seed is not None)
    return assumed_question(_primary(study, metrics), arms, tuple(seeds))


def to_frame(rows: Iterable[Comparison]) -> pd.DataFrame:
    """The rows as a table, one column a field, for a CSV."""
    return pd.DataFrame(list(rows), columns=list(Comparison._fields))


def stars(p: float) -> str:
    """``***`` below .001, ``**`` below .01, ``*`` below .05, nothing otherwise or if there is no p-value."""
    return "*" * sum(p < level for level in (0.05, 0.01, 0.001))


class _Compared(NamedTuple):
    """An arm and a metric with its looks; ``pair`` holds the seeds of the last one.

    Where the full model has ``extra`` seeds of its own, the reference of ``pair`` is drawn towards them, and ``paired``
    holds it as it was.
    """

    mode: str
    pair: Pair
    looks: list[Evidence]
    extra: int = 0
    paired: Pair | None = None


def _arms(study: Study, metrics: Sequence[str]) -> list[Comparison]:
    question = question_of(study, metrics)
    compared = [each for mode in _arms_by_mode(study) for each in _of_mode(study, mode, metrics, question)]
    rows: list[Comparison] = []
    for mode in dict.fromkeys(each.mode for each in compared):
        mine = [each.pair for each in compared if each.mode == mode]
        last = [each.looks[-1] for each in compared if each.mode == mode]
        joint = any(each.extra for each in compared if each.mode == mode)
        described = describe(mine, rng=_generator(), margin=question.margin, evidence=last if joint else None)
        rows += [row._replace(mode=mode) for row in described]
    rows = [_with_extra(row, each) for row, each in zip(rows, compared, strict=True)]
    evidence = [each.looks for each in compared]
    most = question.looks[-1] if question.looks else 1
    for arm in dict.fromkeys(row.arm for row in rows if row.mode == "retuned"):
        samples = search_samples(study, arm, metrics, margin=question.margin, most_seeds=most)
        for n, row in enumerate(rows):
            if (row.mode, row.arm) == ("retuned", arm) and row.metric in samples:
                rows[n], evidence[n] = samples[row.metric].row, [samples[row.metric].evidence]
    judged = judge_rows(rows, evidence, _families(rows, question), most_seeds=most)
    added = judge_rows(rows, evidence, _added(rows, question), most_seeds=most)
    rows = [late if late.family else row for row, late in zip(judged, added, strict=True)]
    # Searches are looked at once, whatever the looks at their seeds were.
    rows = [row._replace(look=row.seeds) if row.searches > 1 else row for row in rows]
    return [row._replace(study=study.name, dataset=study.dataset, note=row.note or _why(row)) for row in rows]


def _of_mode(study: Study, mode: str, metrics: Sequence[str], question: Question) -> list[_Compared]:
    """Every arm of a mode against full, at every look that both have reached."""
    arms = _arms_by_mode(study)[mode]
    tried = {arm: _tried(study, mode, arm) for arm in arms}
    full = arms.get(FULL, {})
    seeds: dict[str, dict[int, tuple[int, ...]]] = {}
    for arm, runs in arms.items():
        paired = runs.keys() & full.keys()
        if arm == FULL or not paired:
            continue
        require_same_users(full[min(paired)], runs[min(paired)])
        seeds[arm] = _looks(question, tried[FULL] & tried[arm], paired)
    compared: dict[tuple[str, str], _Compared] = {}
    for look in sorted({look for mine in seeds.values() for look in mine}):
        pairs = []
        for arm, mine in seeds.items():
            if look in mine:
                base, values = (per_user(arms[side], mine[look], metrics) for side in (FULL, arm))
                pairs += [Pair(metric, arm, FULL, base[metric], values[metric]) for metric in metrics]
        extra = sorted(seed for seed in question.extra_seeds if mode == "frozen" and seed in full)
        if len(extra) >= LEAST_EXTRA:
            alone = per_user(full, extra, metrics)
            for metric in metrics:
                mine_of_it = [pair for pair in pairs if pair.metric == metric]
                compared |= _beside_extra(mode, mine_of_it, alone[metric], look=look, margin=question.margin)
            continue
        for pair, evidence in zip(pairs, evidence_of(pairs, margin=question.margin), strict=True):
            before = compared.get((pair.arm, pair.metric))
            looks = [*(before.looks if before else []), evidence._replace(seeds=look)]
            compared[pair.arm, pair.metric] = _Compared(mode, pair, looks)
    return [compared[arm, metric] for arm in seeds for metric in metrics]


def _beside_extra(
    mode: str, pairs: Sequence[Pair], extra: Float[np.ndarray, "more users"], *, look: int, margin: float
) -> dict[tuple[str, str], _Compared]:
    """The arms by one metric against a full model with seeds of its own."""
    if not pairs:
        return {}
    shared = share_reference([pair.values for pair in pairs], [pair.base for pair in pairs], extra)
    joint = [pair._replace(base=joint_base(pair.base, extra, shared)) for pair in pairs]
    evidence = [add_reference_variance(each, shared) for each in evidence_of(joint, margin=margin)]
    return {
        (pair.arm, pair.metric): _Compared(mode, drawn, [each._replace(seeds=look)], len(extra), pair)
        for pair, drawn, each in zip(pairs, joint, evidence, strict=True)
    }


def _with_extra(row: Comparison, compared: _Compared) -> Comparison:
    """The effect size is over single responses, not over a reference that was averaged."""
    if compared.paired is None:
        return row
    note = f"full has {compared.extra} more seeds of its own, which its mean here takes in"
    size = standardised_difference(compared.paired.base, compared.paired.values)
    return row._replace(effect_size=size, note=row.note or note)


def _looks(question: Question, tried: set[int], paired: Collection[int]) -> dict[int, tuple[int, ...]]:
    """Number of planned seeds at each look -> those of them that both arms finished.

    A look counts once every seed up to it was tried, also those that failed. Before the first look is reached, what is
    there is one. Seeds that nobody planned are looked at together.
    """
    planned = [seed for seed in question.seeds if seed in tried]
    reached = next((n for n, seed in enumerate(question.seeds) if seed not in tried), len(question.seeds))
    looks = [look for look in question.looks if look <= reached] or [reached]
    seeds_at = {look: tuple(seed for seed in question.seeds[:look] if seed in paired) for look in looks}
    seeds_at = {look: seeds for look, seeds in seeds_at.items() if seeds}
    return seeds_at or {len(planned) or len(paired): tuple(sorted(paired))}


def _tried(study: Study, mode: str, arm: str) -> set[int]:
    runs = (run for run in study.ablations if (run.mode, run.arm) == (mode, arm))
    return {run.seed for run in runs if run.seed is not None}


def _families(rows: Sequence[Comparison], question: Question) -> list[Family]:
    """Which rows share a level, in the order in which it passes. Re-tuned arms of one search each are in no family."""
    asked = [n for n, row in enumerate(rows) if row.mode == "frozen" and row.arm in question.arms]
    first = [n for n in asked if rows[n].metric == question.metric]
    primary = [n for n in first if rows[n].arm in question.contrasts]
    return [
        Family("primary", primary),
        Family("rivals", [n for n in first if n not in primary]),
        Family("other metrics", [n for n in asked if n not in first]),
        *_retuned_families(rows, question),
    ]


def _retuned_families(rows: Sequence[Comparison], question: Question) -> list[Family]:
    """Re-tuned arms whose searches are a sample, behind everything else; first by the primary metric."""
    sampled = [n for n, row in enumerate(rows) if row.searches > 1]
    first = [n for n in sampled if rows[n].metric == question.metric]
    return [Family("re-tuned", first), Family("re-tuned, other metrics", [n for n in sampled if n not in first])]


def _added(rows: Sequence[Comparison], question: Question) -> list[Family]:
    """Arms that came after the first run."""
    later = [n for n, row in enumerate(rows) if row.mode == "frozen" and row.arm not in question.arms]
    first = [n for n in later if rows[n].metric == question.metric]
    return [Family("added later", first), Family("added later, other metrics", [n for n in later if n not in first])]


def _why(row: Comparison) -> str:
    """Why a row is descriptive."""
    if row.family or row.mode != "retuned":
        return ""
    return (
        "one search an arm compares two configurations, not two arms, so there is no verdict; --searches 3 makes the "
        "searches a sample"
    )


def _baselines(study: Study, metrics: Sequence[str]) -> list[Comparison]:
    pairs: list[Pair] = []
    winner = tested(study.winner)
    by_name: dict[str, dict[int | None, RunRecord]] = {}
    for baseline in study.baselines if winner else ():
        by_name.setdefault(str(baseline.baseline), {})[baseline.split_seed] = baseline
    for name, by_split in by_name.items():
        seeds = sorted(seed for seed, run in winner.items() if run.split_seed in by_split)
        if not seeds:
            continue
        beside = {seed: by_split[winner[seed].split_seed] for seed in seeds}
        require_same_users(winner[seeds[0]], beside[seeds[0]])
        same, ours = per_user(beside, seeds, metrics), per_user(winner, seeds, metrics)
        pairs += [Pair(metric, study.model_title, name, same[metric], ours[metric]) for metric in metrics]
    # One side is the same runs in every pair, so the pairs tell each other nothing about their variances.
    return _judged_once(study, "", pairs, "baselines", prior_df=0)


def _tuning(study: Study, metrics: Sequence[str]) -> list[Comparison]:
    tuned, default = tested(study.winner), tested(study.default)
    seeds = sorted(tuned.keys() & default.keys())
    if not seeds:
        return []
    require_same_users(default[seeds[0]], tuned[seeds[0]])
    reference, ours = default_title(study), tuned_title(study)
    base, values = (per_user(runs, seeds, metrics) for runs in (default, tuned))
    pairs = [Pair(metric, ours, reference, base[metric], values[metric]) for metric in metrics]
    return _judged_once(study, "", pairs, "tuning")


def _placebos(study: Study, metrics: Sequence[str]) -> list[Comparison]:
    """Every copy's ``n``-th seed against the full model's ``n``-th, as an arm that shares no seed with it."""
    full = _arms_by_mode(study).get("frozen", {}).get(FULL, {})
    copies: dict[str, dict[int, RunRecord]] = {}
    for run in study.placebos:
        if run.test is not None and run.record["stands_for"] in full:
            copies.setdefault(str(run.arm), {})[run.record["stands_for"]] = run
    pairs = []
    for copy, runs in copies.items():
        seeds = sorted(runs)
        require_same_users(full[seeds[0]], runs[seeds[0]])
        base, values = per_user(full, seeds, metrics), per_user(runs, seeds, metrics)
        pairs += [Pair(metric, copy, FULL, base[metric], values[metric]) for metric in metrics]
    margin = MARGIN if study.question is None else study.question.margin
    rows = describe(pairs, rng=_generator(), margin=margin)
    note = "a copy of the full model on seeds of its own: its difference is chance"
    return [row._replace(note=note) for row in _labelled(study, "placebo", rows)]


def _path(study: Study, metrics: Sequence[str]) -> list[Comparison]:
    """Steps that share no seed with the one before (all failed) are left out."""
    path = study.path
    if path is None:
        return []
    places = [runs_on_path(study, config_hash) for config_hash in path.configs]
    names = [default_title(study), *(f"step {n}: {step.change}" for n, step in enumerate(path.steps, start=1))]
    references = [names[0], *(f"step {n}" for n in range(1, len(names)))]
    sides = [*zip(references, names[1:], places, places[1:], strict=False), (names[0], WHOLE, places[0], places[-1])]
    pairs: list[Pair] = []
    for reference, name, before, after in sides:
        if seeds := [seed for seed in path.seeds if seed in before and seed in after]:
            require_same_users(before[seeds[0]], after[seeds[0]])
            base, values = per_user(before, seeds, metrics), per_user(after, seeds, metrics)
            pairs += [Pair(metric, name, reference, base[metric], values[metric]) for metric in metrics]
    margin = MARGIN if study.question is None else study.question.margin
    rows = describe(pairs, rng=_generator(), margin=margin)
    primary = _primary(study, metrics)
    steps = [n for n, pair in enumerate(pairs) if pair.arm != WHOLE]
    first = [n for n in steps if pairs[n].metric == primary]
    families = [Family("path", first), Family("path, other metrics", [n for n in steps if n not in first])]
    evidence = [[each] for each in evidence_of(pairs, margin=margin)]
    judged = judge_rows(rows, evidence, families, most_seeds=max((row.seeds for row in rows), default=1))
    return _labelled(study, "", judged)


def runs_on_path(study: Study, config_hash: str) -> dict[int, RunRecord]:
    """Seed -> tested run of a configuration on the path, wherever in the study it stands.

    Raises:
        UserError: a test result lacks its receipt.
    """
    places = (*study.default, *study.winner, *study.runs(arm=FULL, mode="frozen"), *study.path_steps)
    by_seed = tested(run for run in places if run.config_hash == config_hash)
    for run in by_seed.values():
        require_receipt(run)
    return by_seed


def _imported(study: Study, metrics: Sequence[str]) -> list[Comparison]:
    """The ``n``-th seed of a program elsewhere against the ``n``-th here: they share users, and no draw."""
    reference = FULL if study.runs(arm=FULL, mode="frozen") else study.model_title
    here = tested(reference_runs(study))
    by_name: dict[str, dict[int, RunRecord]] = {}
    for name, runs in itertools.groupby(study.imported, key=imported_name):
        by_name[name] = tested(runs)
    pairs = []
    for name, there in by_name.items():
        both = list(zip(sorted(here), sorted(there), strict=False))
        if not both:
            continue
        require_same_users(here[both[0][0]], there[both[0][1]])
        base = per_user(here, [seed for seed, _ in both], metrics)
        values = per_user(there, [seed for _, seed in both], metrics)
        pairs += [Pair(metric, name, reference, base[metric], values[metric]) for metric in metrics]
    # One side is the same runs in every pair, as with baselines.
    return _judged_once(study, "", pairs, "imported", prior_df=0)


def _factors(study: Study, metrics: Sequence[str]) -> list[Comparison]:
    rows = []
    for mode, arms in _arms_by_mode(study).items():
        runs = [arms.get(arm, {}) for arm in FACTORIAL_ARMS]
        seeds = sorted(set.intersection(*(set(by_seed) for by_seed in runs)))
        if seeds:
            values = {a: per_user(arms[a], seeds, metrics) for a in FACTORIAL_ARMS}
            rows += _judged_once(study, mode, factorial_pairs(values), "factorial")
    return rows


def _judged_once(
    study: Study, mode: str, pairs: Sequence[Pair], family: str, *, prior_df: int = PRIOR_DF
) -> list[Comparison]:
    """Rows of a graph of their own, looked at once: the first metric, then the others."""
    margin = MARGIN if study.question is None else study.question.margin
    rows = describe(pairs, rng=_generator(), margin=margin, prior_df=prior_df)
    evidence = [[each] for each in evidence_of(pairs, margin=margin, prior_df=prior_df)]
    primary = _primary(study, [pair.metric for pair in pairs])
    first = [n for n, pair in enumerate(pairs) if pair.metric == primary]
    rest = [n for n in range(len(pairs)) if n not in first]
    families = [Family(family, first), Family(f"{family}, other metrics", rest)]
    most = max((row.seeds for row in rows), default=1)
    return _labelled(study, mode, judge_rows(rows, evidence, families, most_seeds=most))


def _primary(study: Study, metrics: Sequence[str]) -> str:
    """The metric of the question, else of the search, else the first one."""
    wanted = study.question.metric if study.question else study.metric
    return wanted if wanted in metrics or not metrics else metrics[0]


def _labelled(study: Study, mode: str, rows: Iterable[Comparison]) -> list[Comparison]:
    return [row._replace(study=study.name, mode=mode, dataset=study.dataset) for row in rows]


def _arms_by_mode(study: Study) -> dict[str, dict[str, Runs]]:
    """Mode -> arm -> seed -> run, of the runs that have test results; arms in the order of tables."""
    by_mode: dict[str, dict[str, dict[int, RunRecord]]] = {}
    for run in study.ablations:
        if run.seed is not None and run.test is not None:
            by_mode.setdefault(str(run.mode), {}).setdefault(str(run.arm), {})[run.seed] = run
    return {mode: {arm: arms[arm] for arm in in_order(arms)} for mode, arms in by_mode.items()}


def _generator() -> np.random.Generator:
    """The same for each comparison: a table that is computed twice must not change."""
    return np.random.default_rng(0)

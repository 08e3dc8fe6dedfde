"""Every comparison a table shows: arms against a reference, or the 2x2 factorial, described and judged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sea_core.errors import UserError, suggest
from study.analysis.stats.behrens_fisher import half_width, tail_probability
from study.analysis.stats.bootstrap import BootstrapIntervals, hierarchical_bootstrap
from study.analysis.stats.comparison import ALPHA, Comparison, Family, judge_rows
from study.analysis.stats.contrasts import Evidence
from study.analysis.stats.crossed import CrossedEffect, crossed_effect, standardised_difference
from study.analysis.stats.evidence import gather_evidence
from study.analysis.stats.factorial import factorial_contrasts
from study.analysis.stats.moderation import PRIOR_DF

Values = Float[np.ndarray, "_ _"]  # (seeds, users)
Arms = Mapping[str, Mapping[str, Values]]

MARGIN = 0.02  # relative to the reference mean
FACTORS = ("club", "solosim", "club x solosim")


class Pair(NamedTuple):
    """Two arms on one metric, paired by seed (row) and user (column); pairs may differ in their seeds."""

    metric: str
    arm: str
    reference: str
    base: Values
    values: Values


def compare_arms(
    values: Arms,
    *,
    reference: str,
    rng: np.random.Generator,
    dataset: str = "",
    margin: float = MARGIN,
    resamples: int = 1000,
) -> list[Comparison]:
    """Compare every other arm with the reference on every metric, looked at once; the first metric's rows come first.

    Args:
        values: arm -> metric -> ``(seeds, users)`` per-user values, higher is better; row ``s`` of every arm is the
            same seed, column ``u`` the same user.
        reference: the arm that the others are compared with.
        rng: for the bootstrap.
        dataset: copied into the rows.
        margin: largest difference that does not matter, as a share of the reference arm's mean.
        resamples: bootstrap resamples.

    Raises:
        UserError: unknown reference, a metric or shape that the arms do not share, NaN or infinite values.
    """
    _check(values, reference)
    pairs = [
        Pair(metric, arm, reference, values[reference][metric], values[arm][metric])
        for arm in values
        if arm != reference
        for metric in values[reference]
    ]
    return _judged_once(describe(pairs, rng=rng, margin=margin, resamples=resamples), pairs, dataset, margin)


def compare_factorial(
    values: Arms,
    *,
    rng: np.random.Generator,
    dataset: str = "",
    margin: float = MARGIN,
    resamples: int = 1000,
) -> list[Comparison]:
    """Main effects of CLUB and Solosim and their interaction on every metric, looked at once.

    Args:
        values: as in ``compare_arms``, with the arms ``full``, ``no-club``, ``no-solosim`` and ``no-both``; others are
            left out.
        rng, dataset, margin, resamples: as in ``compare_arms``; the margin is relative to ``no-both``.

    Rows are named ``club``, ``solosim`` and ``club x solosim``; ``reference`` is ``no-both``, ``reference_mean`` its
    mean and ``arm_mean`` that mean plus the effect.

    Raises:
        UserError: one of the four arms is missing, or as in ``compare_arms``.
    """
    pairs = factorial_pairs(values)
    return _judged_once(describe(pairs, rng=rng, margin=margin, resamples=resamples), pairs, dataset, margin)


def factorial_pairs(values: Arms) -> list[Pair]:
    """The pairs of ``compare_factorial``.

    Raises:
        UserError: as there.
    """
    four = ("full", "no-club", "no-solosim", "no-both")
    missing = [arm for arm in four if arm not in values]
    if missing:
        raise UserError(f"the factorial needs the arms {', '.join(four)}; missing: {', '.join(missing)}")
    _check({arm: values[arm] for arm in four}, "no-both")
    pairs = []
    for metric in values["no-both"]:
        base = np.asarray(values["no-both"][metric], dtype=np.float64)
        contrasts = factorial_contrasts(*(values[arm][metric] for arm in four))
        pairs += [
            Pair(metric, effect, "no-both", base, base + contrast)
            for effect, contrast in zip(FACTORS, contrasts, strict=True)
        ]
    return pairs


def describe(
    pairs: Sequence[Pair],
    *,
    rng: np.random.Generator,
    margin: float = MARGIN,
    resamples: int = 1000,
    prior_df: int = PRIOR_DF,
    evidence: Sequence[Evidence] | None = None,
) -> list[Comparison]:
    """A row for each pair, still without a verdict. Seed variances of one metric's pairs are moderated together.

    Args:
        pairs: of one dataset and mode.
        rng: for the bootstrap.
        margin: as a share of the reference's mean.
        resamples: bootstrap resamples.
        prior_df: 0 where the pairs do not tell each other anything about their variances.
        evidence: of each pair, where it is more than the pair can tell; None = what the pairs say.
    """
    evidence = evidence_of(pairs, margin=margin, prior_df=prior_df) if evidence is None else evidence
    intervals = _bootstraps(pairs, rng, resamples)
    return [_row(pair, of_pair, bounds) for pair, of_pair, bounds in zip(pairs, evidence, intervals, strict=True)]


def evidence_of(pairs: Sequence[Pair], *, margin: float = MARGIN, prior_df: int = PRIOR_DF) -> list[Evidence]:
    """Evidence on each pair; the variances of one metric's pairs are moderated together."""
    evidence: dict[int, Evidence] = {}
    for metric in dict.fromkeys(pair.metric for pair in pairs):
        mine = [n for n, pair in enumerate(pairs) if pair.metric == metric]
        differences = [_difference(pairs[n]) for n in mine]
        margins = [margin * abs(float(np.mean(pairs[n].base, dtype=np.float64))) for n in mine]
        evidence |= dict(zip(mine, gather_evidence(differences, margins, prior_df=prior_df), strict=True))
    return [evidence[n] for n in range(len(pairs))]


def by_metric(pairs: Sequence[Pair]) -> list[Family]:
    """One family a metric, in the order in which metrics appear."""
    metrics = dict.fromkeys(pair.metric for pair in pairs)
    return [Family(metric, [n for n, pair in enumerate(pairs) if pair.metric == metric]) for metric in metrics]


def _judged_once(rows: list[Comparison], pairs: Sequence[Pair], dataset: str, margin: float) -> list[Comparison]:
    evidence = [[each] for each in evidence_of(pairs, margin=margin)]
    most = max((row.seeds for row in rows), default=1)
    judged = judge_rows(rows, evidence, by_metric(pairs), most_seeds=most)
    return [row._replace(dataset=dataset) for row in judged]


def _difference(pair: Pair) -> Values:
    return np.asarray(pair.values, dtype=np.float64) - pair.base


def _row(pair: Pair, evidence: Evidence, bounds: tuple[float, float]) -> Comparison:
    difference = _difference(pair)
    plain = crossed_effect(difference, alpha=ALPHA)
    base_mean = float(np.mean(pair.base, dtype=np.float64))
    sd_user, sd_seed, sd_residual = (math.sqrt(variance) for variance in _components(plain, evidence))
    low, high, p = _by_itself(evidence)
    return Comparison(
        study="",
        mode="",
        dataset="",
        metric=pair.metric,
        arm=pair.arm,
        reference=pair.reference,
        reference_mean=base_mean,
        arm_mean=base_mean + evidence.mean,
        difference=evidence.mean,
        relative=evidence.mean / base_mean if base_mean else math.nan,
        low=low,
        high=high,
        p=p,
        p_unmoderated=plain.p,
        p_adjusted=math.nan,
        effect_size=standardised_difference(pair.base, pair.values),
        standard_error=math.sqrt(evidence.user_variance + evidence.seed_variance),
        df=evidence.df or math.nan,
        sd_user=sd_user,
        sd_seed=sd_seed,
        sd_residual=sd_residual,
        users=plain.users,
        seeds=plain.seeds,
        users_alone=plain.users_alone,
        bootstrap_low=bounds[0],
        bootstrap_high=bounds[1],
        margin=evidence.margin,
        p_noninferior=math.nan,
        p_equivalent=math.nan,
        sim_low=-math.inf,
        sim_high=math.inf,
        mde=math.nan,
        family="",
        gate="closed",
        look=plain.seeds,
        within_margin=False,
        verdict="descriptive",
        note=_note(difference),
    )


def _components(plain: CrossedEffect, evidence: Evidence) -> tuple[float, float, float]:
    """Variance components with the moderated seed variance, which the interval and the power of the row share."""
    user, _, residual = plain.components
    seed = evidence.seed_variance * plain.seeds - residual / plain.users
    return user, max(seed, 0.0) if not math.isnan(seed) else math.nan, residual


def _by_itself(evidence: Evidence) -> tuple[float, float, float]:
    """95 % interval and p-value of one contrast looked at once."""
    if math.isnan(evidence.user_variance + evidence.seed_variance):
        return math.nan, math.nan, math.nan
    freedom = {"df": evidence.df, "user_df": evidence.user_df}
    width = float(half_width(evidence.user_variance, evidence.seed_variance, alpha=ALPHA, **freedom))
    tail = float(tail_probability(abs(evidence.mean), evidence.user_variance, evidence.seed_variance, **freedom))
    return evidence.mean - width, evidence.mean + width, tail if evidence.mean else 1.0


def _bootstraps(pairs: Sequence[Pair], rng: np.random.Generator, resamples: int) -> list[tuple[float, float]]:
    """Bootstrap intervals; pairs of one shape share their resamples."""
    interval_of: dict[int, tuple[float, float]] = {}
    for shape in dict.fromkeys(pair.base.shape for pair in pairs):
        mine = [n for n, pair in enumerate(pairs) if pair.base.shape == shape]
        intervals = _bootstrap(np.stack([_difference(pairs[n]) for n in mine]), rng, resamples)
        interval_of |= {
            n: (float(low), float(high)) for n, low, high in zip(mine, intervals.low, intervals.high, strict=True)
        }
    return [interval_of[n] for n in range(len(pairs))]


def _bootstrap(differences: np.ndarray, rng: np.random.Generator, resamples: int) -> BootstrapIntervals:
    if min(differences.shape[1:]) < 2:
        nothing = np.full(len(differences), np.nan)
        return BootstrapIntervals(nothing, nothing, nothing)
    return hierarchical_bootstrap(differences, rng=rng, resamples=resamples, alpha=ALPHA)


def _note(difference: np.ndarray) -> str:
    seeds, users = difference.shape
    if seeds < 2:
        return (
            "one seed: how much another seed would change is unknown, so there is no interval, p-value or verdict; "
            "run at least 2 seeds, better 5"
        )
    if users < 2:
        return "one user: no interval, p-value or verdict"
    if not difference.any():
        return "the two arms gave the same value for every user and seed"
    return ""


def _check(values: Arms, reference: str) -> None:
    if reference not in values:
        raise UserError(f"unknown reference arm '{reference}'{suggest(reference, values)}")
    for arm, metrics in values.items():
        if set(metrics) != set(values[reference]):
            raise UserError(
                f"arm '{arm}' has the metrics {', '.join(metrics)}, but '{reference}' has "
                f"{', '.join(values[reference])}; compare arms that were measured alike"
            )
        for metric, array in metrics.items():
            expected = values[reference][metric].shape
            if array.shape != expected:
                raise UserError(
                    f"{metric} of arm '{arm}' has {_size(array.shape)}, but '{reference}' has {_size(expected)}; "
                    "compare only seeds and users that all arms share"
                )
            if not array.size or not np.isfinite(array).all():
                raise UserError(f"{metric} of arm '{arm}' is empty or holds values that are not finite")


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} seeds x {shape[1]} users"

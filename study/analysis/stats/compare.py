"""Every comparison a table shows, in one call: arms against a reference, or the 2x2 factorial, as one Holm family."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from sea_core.errors import UserError, suggest
from study.analysis.stats.bootstrap import BootstrapIntervals, hierarchical_bootstrap
from study.analysis.stats.comparison import ALPHA, Comparison, correct_family
from study.analysis.stats.crossed import crossed_effect
from study.analysis.stats.equivalence import equivalence_test
from study.analysis.stats.factorial import factorial_contrasts

Arms = Mapping[str, Mapping[str, Float[np.ndarray, "_ _"]]]

MARGIN = 0.02  # relative to the reference mean


def compare_arms(
    values: Arms,
    *,
    reference: str,
    rng: np.random.Generator,
    dataset: str = "",
    margin: float = MARGIN,
    resamples: int = 1000,
) -> list[Comparison]:
    """Compare every other arm with the reference on every metric, as one Holm family.

    Args:
        values: arm -> metric -> ``(seeds, users)`` per-user values, higher is better; row ``s`` of every arm is the
            same seed, column ``u`` the same user.
        reference: the arm that the others are compared with.
        rng: for the bootstrap.
        dataset: copied into the rows.
        margin: equivalence margin as a share of the reference arm's mean.
        resamples: bootstrap resamples.

    Raises:
        UserError: unknown reference, a metric or shape that the arms do not share, NaN or infinite values.
    """
    _check(values, reference)
    names = [(metric, arm, reference) for arm in values if arm != reference for metric in values[reference]]
    pairs = [(values[reference][metric], values[arm][metric]) for metric, arm, _ in names]
    return _compare(names, pairs, rng=rng, dataset=dataset, margin=margin, resamples=resamples)


def compare_factorial(
    values: Arms,
    *,
    rng: np.random.Generator,
    dataset: str = "",
    margin: float = MARGIN,
    resamples: int = 1000,
) -> list[Comparison]:
    """Main effects of CLUB and Solosim and their interaction on every metric, as one Holm family.

    Args:
        values: as in ``compare_arms``, with the arms ``full``, ``no-club``, ``no-solosim`` and ``no-both``; others are
            left out.
        rng, dataset, margin, resamples: as in ``compare_arms``; the margin is relative to ``no-both``.

    Rows are named ``club``, ``solosim`` and ``club x solosim``; ``reference`` is ``no-both``, ``reference_mean`` its
    mean and ``arm_mean`` that mean plus the effect.

    Raises:
        UserError: one of the four arms is missing, or as in ``compare_arms``.
    """
    four = ("full", "no-club", "no-solosim", "no-both")
    missing = [arm for arm in four if arm not in values]
    if missing:
        raise UserError(f"the factorial needs the arms {', '.join(four)}; missing: {', '.join(missing)}")
    _check({arm: values[arm] for arm in four}, "no-both")
    names, pairs = [], []
    for metric in values["no-both"]:
        base = values["no-both"][metric]
        contrasts = factorial_contrasts(*(values[arm][metric] for arm in four))
        for effect, contrast in zip(("club", "solosim", "club x solosim"), contrasts, strict=True):
            names.append((metric, effect, "no-both"))
            pairs.append((base, base + contrast))
    return _compare(names, pairs, rng=rng, dataset=dataset, margin=margin, resamples=resamples)


def _compare(
    names: Sequence[tuple[str, str, str]],
    pairs: Sequence[tuple[np.ndarray, np.ndarray]],
    *,
    rng: np.random.Generator,
    dataset: str,
    margin: float,
    resamples: int,
) -> list[Comparison]:
    """One row per ``(metric, arm, reference)`` and ``(reference values, arm values)``."""
    if not pairs:
        return []
    differences = np.stack([np.asarray(arm, dtype=np.float64) - base for base, arm in pairs])
    intervals = _bootstrap(differences, rng, resamples)
    rows = []
    for index, ((metric, arm, reference), (base, _)) in enumerate(zip(names, pairs, strict=True)):
        effect = crossed_effect(differences[index], alpha=ALPHA)
        base_mean = float(np.mean(base, dtype=np.float64))
        absolute_margin = margin * abs(base_mean)
        sd_user, sd_seed, sd_residual = (math.sqrt(variance) for variance in effect.components)
        rows.append(
            Comparison(
                study="",
                mode="",
                dataset=dataset,
                metric=metric,
                arm=arm,
                reference=reference,
                reference_mean=base_mean,
                arm_mean=base_mean + effect.mean,
                difference=effect.mean,
                relative=effect.mean / base_mean if base_mean else math.nan,
                low=effect.low,
                high=effect.high,
                p=effect.p,
                p_holm=math.nan,
                effect_size=effect.effect_size,
                standard_error=effect.standard_error,
                df=effect.df,
                sd_user=sd_user,
                sd_seed=sd_seed,
                sd_residual=sd_residual,
                users=effect.users,
                seeds=effect.seeds,
                users_alone=effect.users_alone,
                narrow=effect.narrow,
                bootstrap_low=float(intervals.low[index]),
                bootstrap_high=float(intervals.high[index]),
                margin=absolute_margin,
                p_tost=equivalence_test(effect, margin=absolute_margin).p if absolute_margin else math.nan,
                p_equivalent=math.nan,
                mde=math.nan,
                verdict="undecided",
                note=_note(differences[index]),
            )
        )
    return correct_family(rows)


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

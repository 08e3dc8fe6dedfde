"""A/A: what the procedure says of real runs that differ by chance alone.

Copies of one configuration are dealt to pseudo-arms at random. Whatever is found between them is false. The runs are
few and every split deals from the same ones, so the uncertainty comes from a jackknife over runs, not from the number
of splits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from study.analysis.stats.behrens_fisher import half_width, tail_probability
from study.analysis.stats.contrasts import judge
from study.analysis.stats.crossed import Components, mean_squares
from study.analysis.stats.evidence import gather_evidence
from study.analysis.stats.moderation import moderate_ratios
from study.analysis.stats.power import minimum_detectable_effect

ALPHA = 0.05
MARGIN = 0.02  # of the reference
PIPELINE_FAMILIES = (3, 5)  # primary contrasts and rivals among eight pseudo-arms

_POWER_SPLITS = 50  # on which the smallest difference found is worked out; it hardly varies

Change = Callable[[Float[np.ndarray, "seeds users"], np.random.Generator], Float[np.ndarray, "seeds users"]]


class AARates(NamedTuple):
    """False positives among pseudo-arms.

    Attributes:
        rate: share of contrasts with p < .05.
        error: its standard error by the jackknife over runs.
        coverage: share of 95 % intervals that hold zero, which is the truth.
        equivalence: share of contrasts that one of the two one-sided tests would place within a margin at which the
            truth lies.
        half_width: median half-width of a 95 % interval, in units of the metric.
        mde: median smallest difference found with 80 % power by the first step of three contrasts whose variances are
            moderated, as a share of the mean.
        mean: of the metric over runs and users.
        runs, splits: how many.
    """

    rate: float
    error: float
    coverage: float
    equivalence: float
    half_width: float
    mde: float
    mean: float
    runs: int
    splits: int

    @property
    def high(self) -> float:
        """Upper end of the rate's 95 % interval."""
        return self.rate + 1.96 * self.error


class PipelineRates(NamedTuple):
    """Verdicts on pseudo-arms.

    Attributes:
        false_claim: share of splits with any false claim: a better or worse that is none, or a margin that a planted
            loss does not keep.
        found: share of planted losses that are called worse; NaN without one.
        non_inferior: share of the contrasts without a loss that are shown to cost less than the margin.
        arms, splits: how many.
    """

    false_claim: float
    found: float
    non_inferior: float
    arms: int
    splits: int


def aa_rates(values: Float[np.ndarray, "runs users"], *, seeds: int, splits: int, rng: np.random.Generator) -> AARates:
    """Deal two groups of ``seeds`` runs, again and again, and test one against the other.

    The jackknife needs many splits: it multiplies what a run left out changes by the number of runs, and with it the
    noise of the deal. Forty thousand splits leave less than half a percent of that.

    Raises:
        ValueError: fewer than ``2 seeds + 1`` runs.
    """
    runs, users = values.shape
    if runs < 2 * seeds + 1:
        raise ValueError(f"two groups of {seeds} runs and one to leave out need {2 * seeds + 1}, got {runs}")
    used = np.zeros((splits, runs), dtype=bool)
    mean, user, seed, residual = (np.zeros(splits) for _ in range(4))
    for split in range(splits):
        dealt = rng.permutation(runs)[: 2 * seeds]
        used[split, dealt] = True
        squares = mean_squares(values[dealt[:seeds]] - values[dealt[seeds:]])
        mean[split], residual[split] = squares.mean, squares.residual
        user[split], seed[split] = squares.user_variance, squares.seed_variance
    freedom = {"df": seeds - 1, "user_df": users - 1}
    p = tail_probability(np.abs(mean), user, seed, **freedom)
    wrong = p < ALPHA
    few = slice(0, _POWER_SPLITS)
    moderated = int(moderate_ratios(np.ones(PIPELINE_FAMILIES[0]), np.full(PIPELINE_FAMILIES[0], seeds)).df[0])
    widths = half_width(user[few], seed[few], alpha=ALPHA, **freedom)
    effects = [
        minimum_detectable_effect(
            Components(u * users, max(s * seeds - r / users, 0.0), r),
            seeds=seeds,
            users=users,
            alpha=ALPHA / PIPELINE_FAMILIES[0],
            df=moderated,
        )
        for u, s, r in zip(user[few], seed[few], residual[few], strict=True)
    ]
    without = np.array([wrong[~used[:, run]].mean() for run in range(runs)])
    error = math.sqrt((runs - 1) / runs * float(np.square(without - without.mean()).sum()))
    level = float(values.mean())
    return AARates(
        rate=float(wrong.mean()),
        error=error,
        coverage=float(1 - wrong.mean()),
        # A truth at the margin: the one-sided test there, at 5 %, from either side.
        equivalence=float((p / 2 < ALPHA).mean()) / 2,
        half_width=float(np.median(widths)),
        mde=float(np.median(effects)) / level if level else math.nan,
        mean=level,
        runs=runs,
        splits=splits,
    )


def pipeline_rates(
    values: Float[np.ndarray, "runs users"],
    *,
    seeds: int,
    splits: int,
    rng: np.random.Generator,
    families: Sequence[int] = PIPELINE_FAMILIES,
    change: Change | None = None,
    loss: float = 0.0,
) -> PipelineRates:
    """Judge pseudo-arms against another group of runs, as a study's arms are judged.

    More than six parameters: what is dealt, how it is judged, and what is planted.

    Args:
        values: per-user metric of each copy.
        seeds: runs of each pseudo-arm; as many more are the reference.
        splits: how often runs are dealt anew.
        rng: deals them.
        families: sizes of the families of pseudo-arms.
        change: applied to the first pseudo-arm's values: a planted loss.
        loss: the share that ``change`` takes away; a margin that it does not keep is a false one.

    Raises:
        ValueError: too few runs.
    """
    arms = sum(families)
    if len(values) < (arms + 1) * seeds:
        raise ValueError(f"{arms + 1} groups of {seeds} runs need {(arms + 1) * seeds}, got {len(values)}")
    false = planted_worse = kept = 0
    real = 0 if change is None else 1
    for _ in range(splits):
        dealt = rng.permutation(len(values))[: (arms + 1) * seeds].reshape(arms + 1, seeds)
        reference, *others = (values[group] for group in dealt)
        if change is not None:
            others[0] = change(others[0], rng)
        margin = MARGIN * abs(float(reference.mean()))
        evidence = gather_evidence([other - reference for other in others], [margin] * arms)
        verdicts = judge([[each] for each in evidence], families, most_seeds=seeds)
        kinds = [verdict.kind for verdict in verdicts]
        inside = [verdict.within_margin or kind in KEEPS_MARGIN for verdict, kind in zip(verdicts, kinds, strict=True)]
        wrong = any(kind in ("better", "worse") for kind in kinds[real:])
        wrong |= bool(real) and (kinds[0] == "better" or (loss >= MARGIN and inside[0]))
        false += wrong
        planted_worse += bool(real) and kinds[0] == "worse"
        kept += sum(kind in KEEPS_MARGIN for kind in kinds[real:])
    tested = splits * (arms - real)
    return PipelineRates(false / splits, planted_worse / splits if real else math.nan, kept / tested, arms, splits)


KEEPS_MARGIN = ("non-inferior", "equivalent")


def thin_hits(relevant: Int[np.ndarray, " users"], share: float) -> Change:
    """A change that removes each hit of a user's recall with probability ``share``: a true relative loss of it."""

    def thinned(values: Float[np.ndarray, "seeds users"], rng: np.random.Generator) -> Float[np.ndarray, "seeds users"]:
        hits = np.rint(values * relevant).astype(np.int64)
        return np.asarray(rng.binomial(hits, 1 - share) / np.maximum(relevant, 1))

    return thinned

"""A/A: what the procedure says of real runs that differ by chance alone.

Copies of one configuration are dealt to pseudo-arms at random. Whatever is found between them is false. The runs are
few and every split deals from the same ones, so the uncertainty comes from a jackknife over runs, not from the number
of splits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from study.analysis.stats.behrens_fisher import tail_probability
from study.analysis.stats.contrasts import judge
from study.analysis.stats.evidence import gather_evidence

ALPHA = 0.05
MARGIN = 0.02  # of the reference
PIPELINE_FAMILIES = (3, 5)  # primary contrasts and rivals among eight pseudo-arms

Change = Callable[[Float[np.ndarray, "seeds users"], np.random.Generator], Float[np.ndarray, "seeds users"]]


class AARates(NamedTuple):
    """False positives among pseudo-arms.

    Attributes:
        rate: share of contrasts with p < .05.
        error: its standard error by the jackknife over runs.
        half_width: median half-width of a 95 % interval, relative to the reference.
        runs, splits: how many.
    """

    rate: float
    error: float
    half_width: float
    runs: int
    splits: int

    @property
    def high(self) -> float:
        """Upper end of the rate's 95 % interval."""
        return self.rate + 1.96 * self.error


class PipelineRates(NamedTuple):
    """Verdicts on eight pseudo-arms.

    Attributes:
        false_claim: share of splits with any false better or worse.
        found: share of planted losses that are called worse; NaN without one.
        non_inferior: share of contrasts shown to cost less than the margin.
        splits: how many.
    """

    false_claim: float
    found: float
    non_inferior: float
    splits: int


def aa_rates(values: Float[np.ndarray, "runs users"], *, seeds: int, splits: int, rng: np.random.Generator) -> AARates:
    """Deal two groups of ``seeds`` runs, again and again, and test one against the other.

    Raises:
        ValueError: fewer than ``2 seeds + 1`` runs.
    """
    runs = len(values)
    if runs < 2 * seeds + 1:
        raise ValueError(f"two groups of {seeds} runs and one to leave out need {2 * seeds + 1}, got {runs}")
    wrong, used = np.zeros(splits, dtype=bool), np.zeros((splits, runs), dtype=bool)
    widths = np.zeros(splits)
    for split in range(splits):
        dealt = rng.permutation(runs)[: 2 * seeds]
        used[split, dealt] = True
        difference = values[dealt[:seeds]] - values[dealt[seeds:]]
        (evidence,) = gather_evidence([difference], [1.0])
        tail = tail_probability(
            abs(evidence.mean), evidence.user_variance, evidence.seed_variance, df=evidence.df, user_df=evidence.user_df
        )
        wrong[split] = float(tail) < ALPHA
        widths[split] = math.sqrt(evidence.user_variance + evidence.seed_variance)
    without = np.array([wrong[~used[:, run]].mean() for run in range(runs)])
    error = math.sqrt((runs - 1) / runs * float(np.square(without - without.mean()).sum()))
    return AARates(
        float(wrong.mean()), error, 1.96 * float(np.median(widths)) / abs(float(values.mean())), runs, splits
    )


def pipeline_rates(
    values: Float[np.ndarray, "runs users"],
    *,
    seeds: int,
    splits: int,
    rng: np.random.Generator,
    change: Change | None = None,
) -> PipelineRates:
    """Judge eight pseudo-arms against a ninth group, as a study's arms are judged.

    Args:
        values: per-user metric of each copy.
        seeds: runs of each pseudo-arm; nine times as many must be there.
        splits: how often runs are dealt anew.
        rng: deals them.
        change: applied to the first pseudo-arm's values: a planted loss.

    Raises:
        ValueError: too few runs.
    """
    arms = sum(PIPELINE_FAMILIES)
    if len(values) < (arms + 1) * seeds:
        raise ValueError(f"nine groups of {seeds} runs need {(arms + 1) * seeds}, got {len(values)}")
    false = planted_decided = kept = 0
    for _ in range(splits):
        dealt = rng.permutation(len(values))[: (arms + 1) * seeds].reshape(arms + 1, seeds)
        reference, *others = (values[group] for group in dealt)
        if change is not None:
            others[0] = change(others[0], rng)
        margin = MARGIN * abs(float(reference.mean()))
        evidence = gather_evidence([other - reference for other in others], [margin] * arms)
        kinds = [verdict.kind for verdict in judge([[each] for each in evidence], PIPELINE_FAMILIES, most_seeds=seeds)]
        real = 0 if change is None else 1
        false += any(kind in ("better", "worse") for kind in kinds[real:]) or (real and kinds[0] == "better")
        planted_decided += real and kinds[0] == "worse"
        kept += sum(kind in ("non-inferior", "equivalent") for kind in kinds[real:])
    tested = splits * (arms - (change is not None))
    return PipelineRates(false / splits, planted_decided / splits if change else math.nan, kept / tested, splits)


def thin_hits(relevant: Int[np.ndarray, " users"], share: float) -> Change:
    """A change that removes each hit of a user's recall with probability ``share``: a true relative loss of it."""

    def thinned(values: Float[np.ndarray, "seeds users"], rng: np.random.Generator) -> Float[np.ndarray, "seeds users"]:
        hits = np.rint(values * relevant).astype(np.int64)
        return np.asarray(rng.binomial(hits, 1 - share) / np.maximum(relevant, 1))

    return thinned

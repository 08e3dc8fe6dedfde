"""Does the whole procedure keep its promises? Gates, looks, moderation, every kind of verdict, on simulated families.

Differences are drawn as means over users, seed by seed: with thousands of users the mean over users is normal, and the
residual mean square is as good as known. That makes ten thousand families a matter of seconds. Tests hold a few of
these families against ``judge`` and against differences that are simulated user by user.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import interpolate

from study.analysis.stats.alpha_graph import decide
from study.analysis.stats.behrens_fisher import half_width, tail_probability
from study.analysis.stats.contrasts import gatekeeping_graph
from study.analysis.stats.moderation import PRIOR_DF, moderate_ratios
from study.analysis.stats.sequential import nominal_levels

ALPHA = 0.05
_USER_DF = 10**6
_FARTHEST = 14.0  # standard errors; beyond it a p-value is as small as there
_ROUNDED = 0.02  # of the information ratio, down: the safe side, and few tables


class Design(NamedTuple):
    """A simulated family. Distances are in standard errors of a contrast at the last look.

    Attributes:
        looks: numbers of seeds; one for a fixed design.
        families: number of contrasts in each family of the gate; all arms are moderated together.
        effects: true difference of each contrast.
        margin: largest difference that does not matter.
        share: part of the variance at the last look that the seeds make.
        ratio: true ratio of the seeds' mean square to the residual.
        correlation: between the seed effects of two contrasts; 1/2 for arms with one reference, near 1 for clones.
        scatter: shape of the inverse gamma that the arms' seed variances follow; infinite for equal ones.
        diverged: probability that a seed of an arm is off by ten seed standard deviations.
        prior_df: worth of the mean ratio; 0 for no moderation.
        selected: the reference is the best of so many equal configurations on validation, judged on one seed by users
            whose tastes are those of test.
    """

    looks: tuple[int, ...]
    families: tuple[int, ...]
    effects: tuple[float, ...]
    margin: float = 0.5
    share: float = 0.9
    ratio: float = 10.0
    correlation: float = 0.5
    scatter: float = math.inf
    diverged: float = 0.0
    prior_df: int = PRIOR_DF
    selected: int = 1


class ProcedureRates(NamedTuple):
    """How often families came out how; shares of families unless said otherwise.

    Attributes:
        false_claim: any false claim: a difference that is none or has the other sign, or a margin that is not kept.
        false_difference: any false ``better`` or ``worse``.
        false_margin: any false ``non-inferior`` or ``equivalent``.
        found: contrasts with a true difference, of the right sign found (share of these contrasts); NaN without one.
        shown_inside: contrasts truly above minus the margin that are shown to be (share of these); NaN without one.
        coverage: 95 % intervals of single contrasts that hold the truth at the last look (share of contrasts).
        half_width: median half-width of a contrast at the first step of the first family, in standard errors.
    """

    false_claim: float
    false_difference: float
    false_margin: float
    found: float
    shown_inside: float
    coverage: float
    half_width: float


class Drawn(NamedTuple):
    """Simulated looks.

    Attributes:
        mean: differences.
        user_variance: the users' part of the variance, the same for all.
        seed_variance: the seeds' part.
        df: degrees of freedom of ``seed_variance`` at each look.
    """

    mean: Float[np.ndarray, "families contrasts looks"]
    user_variance: float
    seed_variance: Float[np.ndarray, "families contrasts looks"]
    df: tuple[int, ...]


def procedure_rates(design: Design, *, replicates: int, rng: np.random.Generator) -> ProcedureRates:
    """Draw families, judge each, and count."""
    drawn = draw(design, replicates, rng)
    p = sequential_ps(design, drawn)
    graph = gatekeeping_graph(design.families)
    rejected = np.stack(
        [decide(graph, row, alpha=ALPHA, adjust_all=False).rejected for row in p.reshape(replicates, -1)]
    )
    kept, better, below, worse = np.moveaxis(rejected.reshape(p.shape), 2, 0)
    truth = np.array(design.effects)
    differ = (better & (truth <= 0)) | (worse & (truth >= 0))
    outside = (kept & (truth <= -design.margin)) | (kept & below & (truth >= design.margin))
    real, inside = truth != 0, truth > -design.margin
    right = np.where(truth > 0, better, worse)
    seed_variance = drawn.seed_variance[..., -1]
    own_p = _tail(drawn.df[-1])(seed_variance / (seed_variance + drawn.user_variance), _distance(drawn, truth))
    first = ALPHA / design.families[0]
    width = half_width(
        drawn.user_variance,
        np.median(seed_variance),
        df=drawn.df[-1],
        user_df=_USER_DF,
        alpha=_last_level(design, drawn, first),
    )
    return ProcedureRates(
        false_claim=float((differ | outside).any(axis=1).mean()),
        false_difference=float(differ.any(axis=1).mean()),
        false_margin=float(outside.any(axis=1).mean()),
        found=float(right[:, real].mean()) if real.any() else math.nan,
        shown_inside=float(kept[:, inside].mean()) if inside.any() else math.nan,
        coverage=float((own_p >= ALPHA).mean()),
        half_width=float(width),
    )


def draw(design: Design, replicates: int, rng: np.random.Generator) -> Drawn:
    """Simulate the looks of ``replicates`` families."""
    contrasts, last = len(design.effects), design.looks[-1]
    user_variance, seed_variance = (
        1 - design.share,
        design.share * last,
    )  # of one seed's mean difference, residual included
    residual = seed_variance / design.ratio
    spread = np.full((replicates, contrasts), seed_variance)
    if math.isfinite(design.scatter):
        spread *= (design.scatter - 1) / rng.gamma(design.scatter, 1.0, size=spread.shape)
    spread = np.maximum(spread, residual)  # the residual is part of it
    common, own = rng.standard_normal((replicates, 1, last)), rng.standard_normal((replicates, contrasts, last))
    seeds = math.sqrt(design.correlation) * common + math.sqrt(1 - design.correlation) * own
    if design.diverged:
        off = rng.random(seeds.shape) < design.diverged
        seeds += off * 10 * rng.choice([-1.0, 1.0], size=seeds.shape)
    seeds *= np.sqrt(spread)[..., None]
    users = math.sqrt(0.5) * (rng.standard_normal((replicates, contrasts)) - _reference_users(design, replicates, rng))
    fixed = np.array(design.effects) + math.sqrt(user_variance) * users
    means, estimates = [], []
    for count in design.looks:
        seen = seeds[..., :count]
        means.append(fixed + seen.mean(axis=-1))
        ratios = seen.var(axis=-1, ddof=1) / residual
        moderated, df = _moderated(ratios, count, design.prior_df)
        estimates.append((moderated * residual / count, df))
    return Drawn(
        np.stack(means, axis=-1),
        user_variance,
        np.stack([estimate for estimate, _ in estimates], axis=-1),
        tuple(df for _, df in estimates),
    )


def _reference_users(design: Design, replicates: int, rng: np.random.Generator) -> Float[np.ndarray, "families 1"]:
    """What the users' tastes do for the reference, in standard deviations; a selected one was chosen by them too."""
    tastes = rng.standard_normal((replicates, design.selected))
    if design.selected == 1:
        return tastes
    seed_variance = design.share * design.looks[-1]  # of one seed, which the search spends on a configuration
    luck = math.sqrt(seed_variance) * rng.standard_normal(tastes.shape)
    best = (math.sqrt(1 - design.share) * tastes + luck).argmax(axis=1)
    return tastes[np.arange(replicates), best][:, None]


def sequential_ps(design: Design, drawn: Drawn) -> Float[np.ndarray, "families contrasts nodes"]:
    """Sequential p-values of the four nodes of every contrast, in the order of ``contrasts.py``."""
    total = drawn.user_variance + drawn.seed_variance
    share = drawn.seed_variance / total
    one_sided = []
    for threshold, sign in ((-design.margin, 1), (0.0, 1), (design.margin, -1), (0.0, -1)):
        standardised = sign * (drawn.mean - threshold) / np.sqrt(total)
        tail = np.stack(
            [_tail(df)(share[..., look], np.abs(standardised[..., look])) / 2 for look, df in enumerate(drawn.df)],
            axis=-1,
        )
        one_sided.append(np.where(standardised > 0, tail, 1 - tail))
    p = np.stack(one_sided, axis=2)  # families, contrasts, nodes, looks
    if len(design.looks) == 1:
        return p[..., 0]
    return _over_looks(design, drawn, p)


def _over_looks(
    design: Design, drawn: Drawn, p: Float[np.ndarray, "families contrasts nodes looks"]
) -> Float[np.ndarray, "families contrasts nodes"]:
    last = drawn.seed_variance[..., -1] * design.looks[-1]
    information = 1 / (drawn.user_variance + last[..., None] / np.array(design.looks))
    ratios = np.floor(information[..., :-1] / information[..., 1:] / _ROUNDED) * _ROUNDED
    ratios = np.maximum(ratios, _ROUNDED).round(4)
    p_at_looks = np.ones(p.shape[:3])
    fractions = tuple(count / design.looks[-1] for count in design.looks)
    for pair in np.unique(ratios.reshape(-1, ratios.shape[-1]), axis=0):
        rows = (ratios == pair).all(axis=-1)
        grid, levels = _levels(fractions, tuple(float(value) for value in pair))
        for look in range(len(design.looks)):
            logs = np.interp(np.log(np.maximum(p[rows][..., look], 1e-15)), np.log(levels[:, look]), np.log(grid))
            p_at_looks[rows] = np.minimum(p_at_looks[rows], np.exp(logs))
    return p_at_looks


@lru_cache
def _levels(fractions: tuple[float, ...], ratios: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    grid = np.concatenate([np.geomspace(1e-9, 0.2, 36), [0.4, 0.7, 0.99]])
    information = np.cumprod([1.0, *(1 / ratio for ratio in ratios)])
    return grid, nominal_levels(grid, fractions, list(information))


def _last_level(design: Design, drawn: Drawn, alpha: float) -> float:
    """Two-sided nominal level of the last look."""
    if len(design.looks) == 1:
        return alpha
    last = float(np.median(drawn.seed_variance[..., -1])) * design.looks[-1]
    information = [1 / (drawn.user_variance + last / count) for count in design.looks]
    fractions = [count / design.looks[-1] for count in design.looks]
    return 2 * float(nominal_levels(np.array([alpha / 2]), fractions, information)[0, -1])


def _distance(drawn: Drawn, truth: np.ndarray) -> Float[np.ndarray, "families contrasts"]:
    return np.abs(drawn.mean[..., -1] - truth) / np.sqrt(drawn.user_variance + drawn.seed_variance[..., -1])


def _moderated(
    ratios: Float[np.ndarray, "families contrasts"], seeds: int, prior_df: int
) -> tuple[Float[np.ndarray, "families contrasts"], int]:
    """``moderate_ratios`` of many families with equal seeds at once."""
    df = int(moderate_ratios(ratios[0], np.full(ratios.shape[1], seeds), prior_df=prior_df).df[0])
    mean = ratios.mean(axis=1, keepdims=True)
    return np.maximum(1.0, (prior_df * mean + (seeds - 1) * ratios) / (prior_df + seeds - 1)), df


class _Tail(NamedTuple):
    """``tail_probability`` from a table over the share and the distance."""

    table: interpolate.RegularGridInterpolator

    def __call__(self, share: np.ndarray, distance: np.ndarray) -> np.ndarray:
        """Two-sided p-values."""
        points = np.stack(np.broadcast_arrays(share, np.minimum(distance, _FARTHEST)), axis=-1)
        return np.asarray(np.exp(self.table(points)))


@lru_cache
def _tail(df: int) -> _Tail:
    share = np.sin(np.linspace(0, np.pi / 2, 65)) ** 2
    distance = np.linspace(0, _FARTHEST, 561)
    p = tail_probability(distance[None, :], (1 - share)[:, None], share[:, None], df=df, user_df=_USER_DF)
    return _Tail(interpolate.RegularGridInterpolator((share, distance), np.log(np.maximum(p, 1e-300))))


def allowed(rate: float, level: float, replicates: int) -> bool:
    """Whether a rate is at most ``level`` plus two Monte Carlo standard errors."""
    return rate <= level + 2 * math.sqrt(level * (1 - level) / replicates)
